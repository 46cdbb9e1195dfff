"""The Xet protocol's hashes, xorbs, shards and reconstructions. Bytes in, values out."""
