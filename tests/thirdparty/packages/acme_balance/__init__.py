"""A third party's director backend: its language is made up, its use of lvsc is not."""
