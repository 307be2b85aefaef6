"""The journal: what was acknowledged, in one total order per partition, kept. A port and its drivers."""
