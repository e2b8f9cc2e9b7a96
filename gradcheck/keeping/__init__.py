"""What is kept from one run to the next: where, in what form, and under the digest of what else it depends on."""
