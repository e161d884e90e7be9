from lvsc.plugin import disable_unit, enable_unit
from lvsc.targets import load


def test_systemd_reads_its_units_again_before_it_enables_one() -> None:
    target = load("rhel9")
    assert enable_unit(target, "lvsc-addresses.service") == (
        ("/usr/bin/systemctl", "daemon-reload"),
        ("/usr/bin/systemctl", "enable", "--now", "lvsc-addresses.service"),
    )
    assert disable_unit(target, "lvsc-addresses.service") == (
        ("/usr/bin/systemctl", "disable", "--now", "lvsc-addresses.service"),
    )


def test_openrc_adds_a_script_to_the_default_runlevel() -> None:
    target = load("alpine324")
    assert enable_unit(target, "lvsc-addresses") == (
        ("/sbin/rc-update", "add", "lvsc-addresses", "default"),
        ("/sbin/rc-service", "--ifstopped", "lvsc-addresses", "start"),
    )
    assert disable_unit(target, "lvsc-addresses") == (
        ("/sbin/rc-service", "--ifstarted", "lvsc-addresses", "stop"),
        ("/sbin/rc-update", "del", "lvsc-addresses", "default"),
    )
