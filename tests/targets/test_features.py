"""The enumeration of features, and what each release has of it."""

import re

import pytest

from lvsc.targets import Feature, Program, Target, first_with, load, names

F = Feature


@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.key)
def test_feature_says_what_it_is_and_where_that_was_read(feature: Feature) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", feature.key)
    assert Feature[feature.key.upper()] is feature
    assert feature.title
    assert not feature.title.endswith(".")
    assert feature.source


@pytest.mark.parametrize(
    ("prefix", "program"),
    [
        ("KERNEL_", Program.KERNEL),
        ("IPTABLES_", Program.IPTABLES),
        ("NFT_", Program.NFTABLES),
        ("IPVSADM_", Program.IPVSADM),
        ("KEEPALIVED_", Program.KEEPALIVED),
    ],
)
def test_feature_is_named_after_its_program(prefix: str, program: Program) -> None:
    named = {feature for feature in Feature if feature.name.startswith(prefix)}
    assert named == {feature for feature in Feature if feature.program is program}
    assert named


@pytest.mark.parametrize(
    ("target", "has", "lacks"),
    [
        pytest.param(
            "rhel7",
            {F.KERNEL_SH_FLAGS, F.KERNEL_NFTABLES, F.IPTABLES_RESTORE_WAIT, F.IPVSADM_SCHED_FLAGS},
            {
                F.KERNEL_SCHED_FO,
                F.KERNEL_SCHED_MH,
                F.KERNEL_SYNC_PARAMETERS,
                F.KERNEL_FTP_EPSV,
                F.KERNEL_NFT_CT_HELPER,
                F.KEEPALIVED_SCHED_MH,
                F.KEEPALIVED_TUNNEL_TYPES,
                F.IPVSADM_TUNNEL_TYPES,
            },
            id="rhel7",
        ),
        pytest.param(
            "rhel8",
            {F.KERNEL_SCHED_MH, F.KERNEL_NFT_CONCAT_RANGES, F.KEEPALIVED_TUNNEL_TYPES},
            {F.KERNEL_TUNNEL_GUE, F.KERNEL_SCHED_TWOS, F.KERNEL_FOU, F.KEEPALIVED_HTTP_REGEX},
            id="rhel8",
        ),
        pytest.param(
            "rhel9",
            {F.KERNEL_TUNNEL_GUE, F.KEEPALIVED_SCHED_TWOS},
            {F.KERNEL_SCHED_TWOS, F.KERNEL_FOU, F.KEEPALIVED_HTTP_REGEX},
            id="rhel9",
        ),
        pytest.param(
            "debian11",
            {F.KERNEL_TUNNEL_GRE, F.KERNEL_NFT_CONCAT_RANGES, F.NFT_CONCAT_RANGES},
            {F.KERNEL_SCHED_TWOS, F.KEEPALIVED_SCHED_TWOS},
            id="debian11",
        ),
        pytest.param(
            "debian12",
            {F.KERNEL_TUNNEL_GUE, F.KERNEL_FOU, F.KEEPALIVED_SCHED_TWOS, F.KEEPALIVED_HTTP_REGEX},
            {F.KERNEL_SCHED_TWOS, F.KERNEL_CONN_TAB_BITS_27},
            id="debian12",
        ),
        pytest.param("debian13", {F.KERNEL_SCHED_TWOS, F.KERNEL_CONN_TAB_BITS_27}, set(), id="debian13"),
        pytest.param(
            "ubuntu2004",
            {F.KERNEL_TUNNEL_GUE, F.KERNEL_TUNNEL_GRE, F.KEEPALIVED_SCHED_MH},
            {F.KERNEL_NFT_CONCAT_RANGES, F.NFT_CONCAT_RANGES, F.KEEPALIVED_MH_FLAGS},
            id="ubuntu2004",
        ),
        pytest.param("ubuntu2404", {F.KERNEL_SCHED_TWOS, F.KERNEL_CONN_TAB_BITS_27}, set(), id="ubuntu2404"),
        pytest.param("alpine324", {F.KERNEL_CONN_TAB_BITS_27}, {F.KEEPALIVED_HTTP_REGEX}, id="alpine324"),
        pytest.param(
            "leap156", {F.KERNEL_TUNNEL_GUE}, {F.IPVSADM_TUNNEL_TYPES, F.IPVSADM_MH_FLAGS}, id="leap156"
        ),
    ],
)
def test_release_is_known_to_have_and_to_lack(target: str, has: set[Feature], lacks: set[Feature]) -> None:
    release = load(target)
    assert {feature for feature in has | lacks if release.has(feature)} == has


def _stated() -> list[tuple[Target, Feature, bool]]:
    return [(target, *statement) for target in map(load, names()) for statement in target.stated]


@pytest.mark.parametrize(
    ("target", "feature", "present"),
    [pytest.param(*row, id=f"{row[0].name}-{row[1].key}") for row in _stated()],
)
def test_statement_wins_over_the_version_and_is_needed(
    target: Target, feature: Feature, *, present: bool
) -> None:
    version = target.version(feature.program)
    assert version is not None
    assert target.has(feature) is present
    assert (version >= feature.since) is not present


def test_features_of_one_release_are_found_in_the_list_of_those_that_have_it() -> None:
    for feature in Feature:
        assert first_with(feature) == tuple(name for name in names() if load(name).has(feature))
    assert "rhel7" not in first_with(F.KERNEL_SCHED_MH)
    assert "debian12" in first_with(F.KERNEL_SCHED_MH)


@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.key)
def test_some_release_has_each_feature(feature: Feature) -> None:
    assert first_with(feature)
