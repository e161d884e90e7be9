"""FTP for lvsc: the service kind, and the settings of the real servers' vsftpd."""
