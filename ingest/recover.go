package ingest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// The metadata that an object carries from its commit until it is registered, and after. Values are base64 where they may
// hold other than ASCII; together they stay under S3's 2 KiB.
const (
	metaPath   = "dropline-path"
	metaVia    = "dropline-via"
	metaBy     = "dropline-by"
	metaSHA256 = "dropline-sha256"
	metaState  = "dropline-state"
	metaTime   = "dropline-time"
	metaOrigin = "dropline-origin"

	maxMetaBy     = 64   // bytes of By that are kept in metadata
	maxMetaOrigin = 1100 // bytes of path and origin together; over it the origin is left out, and read a second time if need be
)

func metadataOf(reg Registration) map[string]string {
	text := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	m := map[string]string{
		metaPath:   text(reg.Path),
		metaVia:    string(reg.Via),
		metaBy:     text(reg.By[:min(len(reg.By), maxMetaBy)]),
		metaSHA256: hex.EncodeToString(reg.SHA256[:]),
		metaState:  base64.RawURLEncoding.EncodeToString(reg.HashState),
		metaTime:   reg.ReceivedAt.UTC().Format(time.RFC3339Nano),
	}
	if reg.Origin != "" && len(reg.Path)+len(reg.Origin) <= maxMetaOrigin {
		m[metaOrigin] = text(reg.Origin)
	}
	return m
}

// registrationOf reads back what metadataOf wrote. It reports false for an object that was never committed as a whole file.
func registrationOf(o Object) (Registration, bool) {
	_, rest, _ := strings.Cut(strings.TrimPrefix(o.Key, DropPrefix), "/") // after the hour
	tenant, id, ok := strings.Cut(rest, "/")
	reg := Registration{ID: DropID(id), Key: o.Key, Size: o.Size}
	reg.Tenant = TenantID(tenant)
	if !ok || !reg.Tenant.Valid() || !reg.ID.Valid() || o.Metadata[metaPath] == "" {
		return Registration{}, false
	}
	var errs []error
	text := func(name string) string {
		b, err := base64.RawURLEncoding.DecodeString(o.Metadata[name])
		errs = append(errs, err)
		return string(b)
	}
	reg.Path, reg.By, reg.Origin = text(metaPath), text(metaBy), text(metaOrigin)
	reg.HashState = []byte(text(metaState))
	reg.Via = Via(o.Metadata[metaVia])
	sum, err := hex.DecodeString(o.Metadata[metaSHA256])
	at, err2 := time.Parse(time.RFC3339Nano, o.Metadata[metaTime])
	if len(sum) != len(reg.SHA256) || errors.Join(append(errs, err, err2)...) != nil {
		return Registration{}, false
	}
	copy(reg.SHA256[:], sum)
	reg.ReceivedAt = at
	return reg, true
}

// Recover looks at an object under DropPrefix that the ledger does not know: a crash, or PostgreSQL out of reach, came
// between its commit and its registration. A whole file is registered now, unless a newer drop of its path has come; that,
// and what was never committed as a whole, is deleted once it is older than PartialLifetime. It returns whether it
// registered the object.
func (r *Receiver) Recover(ctx context.Context, key string) (bool, error) {
	const op = "ingest.Recover"
	o, err := r.bucket.Stat(ctx, key)
	if err != nil {
		if KindOf(err) == NotFound {
			return false, nil
		}
		return false, E(KindOf(err), op, err)
	}
	reg, whole := registrationOf(o)
	if whole && !TemporaryName(reg.Path) {
		latest, err := r.ledger.LatestDrop(ctx, reg.Tenant, reg.Path)
		if err != nil && KindOf(err) != NotFound {
			return false, err
		}
		whole = err != nil || latest.ReceivedAt.Before(reg.ReceivedAt)
	}
	if !whole {
		if r.cfg.Clock().Sub(o.ModTime) < PartialLifetime {
			return false, nil
		}
		return false, r.bucket.Delete(ctx, key)
	}
	_, _, err = r.register(ctx, reg)
	return err == nil, err
}
