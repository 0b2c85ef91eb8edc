"""What runs pulse programs: the protocol, the registry of installed backends, and the simulated chip."""
