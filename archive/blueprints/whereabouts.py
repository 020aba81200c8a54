"""Where is it 病案去向: one field, every file of the patient and each carrier."""
