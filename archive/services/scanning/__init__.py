"""数字化加工: a pile of paper becomes checked pages of the right records (domain §4.5, §13)."""
