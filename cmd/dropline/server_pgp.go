//go:build linux

package main

import (
	"context"

	"dropline/ingest"
	"dropline/mapping/unpack"
)

// pgpKeys are a tenant's OpenPGP keys that are in force, ready to open files.
func (s *server) pgpKeys(ctx context.Context, tenant ingest.TenantID) (unpack.Keyring, error) {
	var out unpack.Keyring
	keys, err := s.ledger.ListPGPKeys(ctx, tenant)
	if err != nil {
		return out, err
	}
	for i := range keys {
		k := &keys[i]
		switch {
		case k.RevokedAt != nil:
		case k.Sender:
			out.Senders = append(out.Senders, k.Public)
		case s.keyring == nil:
			return out, ingest.WithHint(ingest.Errorf(ingest.Internal, "pgpKeys", "this server has no key to open the tenant's private keys with"),
				"start every worker with the same secrets key")
		default:
			private, err := s.keyring.Open(ctx, k.Sealed, k.SealedFor())
			if err != nil {
				return out, err
			}
			out.Private = append(out.Private, private)
		}
	}
	return out, nil
}
