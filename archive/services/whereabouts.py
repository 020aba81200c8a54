"""Where is it 病案去向: any number or name → every file of the patient, and where each of its carriers is now."""
