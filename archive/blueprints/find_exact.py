"""Find a patient: number and second factor, in the body of a request and in no address."""
