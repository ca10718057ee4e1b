"""Who may ask this server what: keys, sessions, proxies, origins, and how often."""
