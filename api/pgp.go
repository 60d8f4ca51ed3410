package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
	"dropline/mapping/unpack"
)

type (
	createPGPKeyInput struct {
		Slug string `path:"slug" doc:"The tenant" example:"acme"`
		Body PGPKeyCreate
	}
	pgpKeyInput struct {
		Slug        string `path:"slug" doc:"The tenant" example:"acme"`
		Fingerprint string `path:"fingerprint" doc:"The key's fingerprint" example:"0123456789ABCDEF0123456789ABCDEF01234567"`
	}
	pgpKeyOutput  struct{ Body PGPKey }
	pgpKeysOutput struct{ Body PGPKeyList }
)

// PGPKeyCreate asks for a key, or brings one.
type PGPKeyCreate struct {
	Sender string `json:"sender,omitempty" maxLength:"262144" doc:"The armoured public key of who may sign the tenant's files. Absent: a key pair is made, to which files may be encrypted"`
}

// PGPKey is an OpenPGP key of a tenant.
type PGPKey struct {
	Fingerprint string     `json:"fingerprint" example:"0123456789ABCDEF0123456789ABCDEF01234567"`
	Kind        string     `json:"kind" enum:"own,sender" doc:"own: files may be encrypted to it; sender: its holder may sign them"`
	User        string     `json:"user" doc:"Whose the key says that it is"`
	Public      string     `json:"public" doc:"The public key, armoured"`
	CreatedAt   time.Time  `json:"createdAt"`
	CreatedBy   string     `json:"createdBy,omitempty"`
	RevokedAt   *time.Time `json:"revokedAt,omitempty" doc:"From then on it opens and vouches for nothing"`
}

// PGPKeyList are a tenant's keys, oldest first.
type PGPKeyList struct {
	Items []PGPKey `json:"items" nullable:"false"`
}

func (s *Server) registerPGP() {
	const base = "/etl/tenants/{slug}/pgp-keys"
	register(s, operation{access: anyCaller, idempotent: true, Operation: huma.Operation{
		OperationID: "createPGPKey", Method: http.MethodPost, Path: base, Tags: []string{tagAccess},
		DefaultStatus: http.StatusCreated, Summary: "Make an OpenPGP key, or store a sender's",
		Description: "Makes a key pair to which the tenant's files may be encrypted: its private part never leaves the service. Or stores the public " +
			"key of a sender: from then on an encrypted file must be signed by one of those stored.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}}, s.createPGPKey)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listPGPKeys", Method: http.MethodGet, Path: base, Tags: []string{tagAccess},
		Summary: "List a tenant's OpenPGP keys", Description: "Oldest first, revoked ones included, without private parts.", Errors: []int{http.StatusNotFound},
	}}, s.listPGPKeys)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "revokePGPKey", Method: http.MethodDelete, Path: base + "/{fingerprint}", Tags: []string{tagAccess},
		Summary: "Revoke an OpenPGP key", Description: "Files encrypted to it can no longer be opened, those signed with it are refused. The private part is forgotten.",
		Errors: []int{http.StatusNotFound},
	}}, s.revokePGPKey)
}

func (s *Server) createPGPKey(ctx context.Context, in *createPGPKeyInput) (*pgpKeyOutput, error) {
	t, err := s.findTenant(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	d := s.cfg.Databases
	if s.cfg.PGP == nil || in.Body.Sender == "" && (d == nil || d.Seal == nil) {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Conflict, "api.createPGPKey", "this server has no key of its own to keep private keys under"),
			"have the operator set one up: dropline config new-key --help")
	}
	k := ingest.PGPKey{Tenant: t.ID, CreatedBy: callerName(ctx), Sender: in.Body.Sender != ""}
	var key unpack.Key
	if k.Sender {
		key, err = unpack.ReadSender([]byte(in.Body.Sender), s.cfg.Clock())
	} else {
		key, err = unpack.NewKey(string(t.ID), s.cfg.Clock())
	}
	if err != nil {
		return nil, err
	}
	k.Fingerprint, k.User, k.Public = key.Fingerprint, key.User, key.Public
	if !k.Sender {
		if k.Sealed, err = d.Seal(ctx, key.Private, k.SealedFor()); err != nil {
			return nil, err
		}
	}
	if k, err = s.cfg.PGP.AddPGPKey(ctx, k); err != nil {
		return nil, err
	}
	out, err := pgpKeyOf(&k)
	return &pgpKeyOutput{Body: out}, err
}

func (s *Server) listPGPKeys(ctx context.Context, in *tenantInput) (*pgpKeysOutput, error) {
	t, err := s.findTenant(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	out := &pgpKeysOutput{Body: PGPKeyList{Items: []PGPKey{}}}
	if s.cfg.PGP == nil {
		return out, nil
	}
	keys, err := s.cfg.PGP.ListPGPKeys(ctx, t.ID)
	for i := range keys {
		k, err := pgpKeyOf(&keys[i])
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, k)
	}
	return out, err
}

func (s *Server) revokePGPKey(ctx context.Context, in *pgpKeyInput) (*struct{}, error) {
	t, err := s.findTenant(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	absent := newProblem(http.StatusNotFound, "the tenant has no such key", "listPGPKeys shows those that it has")
	if s.cfg.PGP == nil || !ingest.ValidFingerprint(in.Fingerprint) {
		return nil, absent
	}
	return nil, orAbsent(s.cfg.PGP.RevokePGPKey(ctx, t.ID, in.Fingerprint), absent)
}

func pgpKeyOf(k *ingest.PGPKey) (PGPKey, error) {
	public, err := unpack.Armoured(k.Public)
	out := PGPKey{Fingerprint: k.Fingerprint, Kind: "own", User: k.User, Public: public, CreatedAt: k.CreatedAt.UTC(), CreatedBy: k.CreatedBy, RevokedAt: k.RevokedAt}
	if k.Sender {
		out.Kind = "sender"
	}
	return out, err
}
