"""The ground: who you are, what you may do, how a refusal is spoken."""
