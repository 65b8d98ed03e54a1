"""What reads say of a contestant: arrays in, estimates with intervals out."""
