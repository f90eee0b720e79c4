"""The virtual bench: a Linux guest whose kernel loops USB gadgets back to itself."""
