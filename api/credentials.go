package api

import (
	"context"
	"crypto/rand"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

type (
	createCredentialInput struct {
		Slug string `path:"slug" doc:"The tenant" example:"acme"`
		Body CredentialCreate
	}
	createOperatorCredentialInput struct{ Body CredentialCreate }
	credentialInput               struct {
		Slug string `path:"slug" doc:"The tenant" example:"acme"`
		ID   string `path:"id" example:"cred_0123456789abcdef0123456789abcdef"`
	}
	operatorCredentialInput struct {
		ID string `path:"id" example:"cred_0123456789abcdef0123456789abcdef"`
	}
	credentialsOutput       struct{ Body CredentialList }
	createdCredentialOutput struct{ Body CredentialCreated }
)

func (s *Server) registerCredentials() {
	const once = "A secret is shown in this answer and never again: sent again with the same Idempotency-Key, such a request is " +
		"answered 409 in place of the secret."
	register(s, operation{access: anyCaller, idempotent: true, secret: true, Operation: huma.Operation{
		OperationID: "createCredential", Method: http.MethodPost, Path: "/etl/tenants/{slug}/credentials", Tags: []string{tagAccess},
		DefaultStatus: http.StatusCreated, Summary: "Give a tenant a way in",
		Description: "A password or public key for SFTP, or a client for this API. " + once,
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}}, func(ctx context.Context, in *createCredentialInput) (*createdCredentialOutput, error) {
		tenant, err := slugOfPath(ctx, in.Slug)
		if err != nil {
			return nil, err
		}
		return s.createCredential(ctx, tenant, &in.Body)
	})
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listCredentials", Method: http.MethodGet, Path: "/etl/tenants/{slug}/credentials", Tags: []string{tagAccess},
		Summary: "List a tenant's credentials", Description: "Oldest first, revoked ones included, without their secrets.",
		Errors: []int{http.StatusNotFound},
	}}, func(ctx context.Context, in *tenantInput) (*credentialsOutput, error) {
		t, err := s.findTenant(ctx, in.Slug)
		if err != nil {
			return nil, err
		}
		return s.listCredentials(ctx, t.ID)
	})
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "revokeCredential", Method: http.MethodDelete, Path: "/etl/tenants/{slug}/credentials/{id}", Tags: []string{tagAccess},
		Summary: "Revoke a tenant's credential", Description: "Ends it at once, and every token got with it.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}}, func(ctx context.Context, in *credentialInput) (*struct{}, error) {
		tenant, err := slugOfPath(ctx, in.Slug)
		if err != nil {
			return nil, err
		}
		return s.revokeCredential(ctx, tenant, in.ID)
	})

	register(s, operation{access: operatorOnly, idempotent: true, secret: true, Operation: huma.Operation{
		OperationID: "createOperatorCredential", Method: http.MethodPost, Path: "/etl/operator/credentials", Tags: []string{tagAccess},
		DefaultStatus: http.StatusCreated, Summary: "Make a client of the operator", Description: "Kind client only. " + once,
	}}, func(ctx context.Context, in *createOperatorCredentialInput) (*createdCredentialOutput, error) {
		return s.createCredential(ctx, "", &in.Body)
	})
	register(s, operation{access: operatorOnly, Operation: huma.Operation{
		OperationID: "listOperatorCredentials", Method: http.MethodGet, Path: "/etl/operator/credentials", Tags: []string{tagAccess},
		Summary: "List the operator's clients", Description: "Oldest first, revoked ones included, without their secrets.",
	}}, func(ctx context.Context, _ *struct{}) (*credentialsOutput, error) { return s.listCredentials(ctx, "") })
	register(s, operation{access: operatorOnly, Operation: huma.Operation{
		OperationID: "revokeOperatorCredential", Method: http.MethodDelete, Path: "/etl/operator/credentials/{id}", Tags: []string{tagAccess},
		Summary: "Revoke a client of the operator", Description: "Ends it at once, and every token got with it. The one in use is refused.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}}, func(ctx context.Context, in *operatorCredentialInput) (*struct{}, error) {
		if in.ID == string(identityOf(ctx).Credential) {
			return nil, ingest.WithHint(ingest.Errorf(ingest.Conflict, "api.revoke", "this client is the one that asks"),
				"make another client and revoke this one with it")
		}
		return s.revokeCredential(ctx, "", in.ID)
	})
}

// createCredential makes a credential of a tenant, or of the operator.
func (s *Server) createCredential(ctx context.Context, tenant ingest.TenantID, b *CredentialCreate) (*createdCredentialOutput, error) {
	kind := ingest.CredentialKind(b.Kind)
	if err := s.checkCredential(tenant, kind, b); err != nil {
		return nil, err
	}
	label := b.Label
	if label == "" {
		label = b.Kind
	}
	out := &createdCredentialOutput{}
	var credential ingest.Credential
	var err error
	switch kind {
	case ingest.Password:
		password := b.Password
		if password == "" {
			password = rand.Text() // 130 bits, letters and digits: easy to type and to pass on the phone
			out.Body.Password = password
		}
		credential, err = s.cfg.Ledger.AddPassword(ctx, tenant, label, password, b.ExpiresAt)
	case ingest.PublicKey:
		credential, err = s.cfg.Ledger.AddPublicKey(ctx, tenant, label, b.PublicKey, b.ExpiresAt)
	case ingest.Client:
		credential, out.Body.ClientSecret, err = s.cfg.Ledger.AddClient(ctx, tenant, label, b.ExpiresAt)
		out.Body.ClientID = string(credential.ID)
	}
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	requestOf(ctx).holdsSecret = out.Body.Password != "" || out.Body.ClientSecret != ""
	out.Body.Credential = credentialOf(&credential)
	return out, nil
}

// checkCredential refuses fields of another kind: a password given with a key would seem to be set.
func (s *Server) checkCredential(tenant ingest.TenantID, kind ingest.CredentialKind, b *CredentialCreate) error {
	switch {
	case tenant == "" && kind != ingest.Client:
		return invalidField("kind", "the operator has clients only", "SFTP is for tenants")
	case kind != ingest.Password && b.Password != "":
		return invalidField("password", "goes with kind password only", "")
	case kind != ingest.PublicKey && b.PublicKey != "":
		return invalidField("publicKey", "goes with kind public_key only", "")
	case kind == ingest.PublicKey && b.PublicKey == "":
		return invalidField("publicKey", "required with kind public_key", "give a line as in authorized_keys")
	case b.ExpiresAt != nil && !b.ExpiresAt.After(s.cfg.Clock()):
		return invalidField("expiresAt", "is in the past", "")
	}
	return checkText("label", b.Label)
}

func (s *Server) listCredentials(ctx context.Context, tenant ingest.TenantID) (*credentialsOutput, error) {
	credentials, err := s.cfg.Ledger.ListCredentials(ctx, tenant)
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	out := &credentialsOutput{Body: CredentialList{Items: make([]Credential, 0, len(credentials))}}
	for i := range credentials {
		out.Body.Items = append(out.Body.Items, credentialOf(&credentials[i]))
	}
	return out, nil
}

func (s *Server) revokeCredential(ctx context.Context, tenant ingest.TenantID, id string) (*struct{}, error) {
	credential := ingest.CredentialID(id)
	if !credential.Valid() {
		return nil, noCredential()
	}
	return nil, orAbsent(s.cfg.Ledger.RevokeCredential(ctx, tenant, credential), noCredential())
}

func credentialOf(c *ingest.Credential) Credential {
	return Credential{
		ID: string(c.ID), Tenant: string(c.Tenant), Kind: string(c.Kind), Label: c.Label, Fingerprint: c.Fingerprint,
		CreatedAt: c.CreatedAt.UTC(), ExpiresAt: utc(c.ExpiresAt), RevokedAt: utc(c.RevokedAt), LastUsedAt: utc(c.LastUsedAt),
	}
}
