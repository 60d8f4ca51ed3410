package api_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	"dropline/ingest"
)

// fakeLedger keeps in memory what the API asks of a ledger. Its embedded interface is nil: a method that is not here panics,
// which a test would see.
type fakeLedger struct {
	ingest.Ledger

	mu          sync.Mutex
	clock       func() time.Time
	tenants     map[ingest.TenantID]ingest.Tenant
	credentials []ingest.Credential
	secrets     map[ingest.CredentialID]string
	tokens      map[string]ingest.Identity
	imports     []ingest.Import // oldest first
	rejects     map[ingest.ImportID][]ingest.Reject
	drops       []ingest.Drop
	sources     []ingest.Source
	held        map[ingest.TenantID][]ingest.Entry // files that wait for their batch
	mappings    map[ingest.TenantID][]ingest.MappingVersion
	keys        map[string]*rememberedKey
	usage       ingest.Usage
	broken      error // answered by every method
	requests    []string
	before      func() // runs at the beginning of RequestPromotion
}

type rememberedKey struct {
	request  [32]byte
	response *ingest.Response
}

func newFakeLedger(clock func() time.Time) *fakeLedger {
	return &fakeLedger{
		clock: clock, tenants: map[ingest.TenantID]ingest.Tenant{}, secrets: map[ingest.CredentialID]string{},
		tokens: map[string]ingest.Identity{}, rejects: map[ingest.ImportID][]ingest.Reject{},
		mappings: map[ingest.TenantID][]ingest.MappingVersion{}, keys: map[string]*rememberedKey{},
	}
}

func (f *fakeLedger) lock() func() {
	f.mu.Lock()
	return f.mu.Unlock
}

func absent(what string) error { return ingest.Errorf(ingest.NotFound, "fake", "no %s", what) }

func (f *fakeLedger) Healthy(context.Context) error { return f.broken }

func (f *fakeLedger) CreateTenant(_ context.Context, t ingest.Tenant) (ingest.Tenant, error) {
	defer f.lock()()
	if _, taken := f.tenants[t.ID]; taken {
		return t, ingest.Errorf(ingest.Conflict, "fake", "the slug %s is taken", t.ID)
	}
	f.tenants[t.ID] = t
	return t, f.broken
}

func (f *fakeLedger) Tenant(_ context.Context, id ingest.TenantID) (ingest.Tenant, error) {
	defer f.lock()()
	t, ok := f.tenants[id]
	if !ok {
		return t, absent("tenant")
	}
	return t, f.broken
}

func (f *fakeLedger) ListTenants(_ context.Context, after ingest.TenantID, limit int) ([]ingest.Tenant, error) {
	defer f.lock()()
	var out []ingest.Tenant
	for _, t := range f.tenants {
		if t.ID > after {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b ingest.Tenant) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
	return out[:min(limit, len(out))], f.broken
}

func (f *fakeLedger) ChangeTenant(_ context.Context, id ingest.TenantID, c ingest.TenantChange) (ingest.Tenant, error) {
	defer f.lock()()
	t, ok := f.tenants[id]
	if !ok {
		return t, absent("tenant")
	}
	set(&t.Name, c.Name)
	set(&t.TimeZone, c.TimeZone)
	set(&t.Enabled, c.Enabled)
	set(&t.QuietPeriod, c.QuietPeriod)
	set(&t.RejectLimit, c.RejectLimit)
	set(&t.QuotaBytes, c.QuotaBytes)
	f.tenants[id] = t
	return t, f.broken
}

func set[T any](field, change *T) {
	if change != nil {
		*field = *change
	}
}

func (f *fakeLedger) Usage(_ context.Context, id ingest.TenantID) (ingest.Usage, error) {
	defer f.lock()()
	if _, ok := f.tenants[id]; !ok {
		return ingest.Usage{}, absent("tenant")
	}
	return f.usage, f.broken
}

func (f *fakeLedger) add(c ingest.Credential) (ingest.Credential, error) {
	if c.Label == "" {
		return c, ingest.Errorf(ingest.Invalid, "fake", "the label must be 1 to 200 characters in one line")
	}
	if _, ok := f.tenants[c.Tenant]; !ok && c.Tenant != "" {
		return c, absent("tenant")
	}
	c.ID, c.CreatedAt = ingest.NewCredentialID(), f.clock()
	f.credentials = append(f.credentials, c)
	return c, f.broken
}

func (f *fakeLedger) AddPassword(_ context.Context, t ingest.TenantID, label, password string, expires *time.Time) (ingest.Credential, error) {
	defer f.lock()()
	if len(password) < ingest.MinPassword {
		return ingest.Credential{}, ingest.Errorf(ingest.Invalid, "fake", "the password is too short")
	}
	c, err := f.add(ingest.Credential{Tenant: t, Kind: ingest.Password, Label: label, ExpiresAt: expires})
	f.secrets[c.ID] = password
	return c, err
}

func (f *fakeLedger) AddPublicKey(_ context.Context, t ingest.TenantID, label, _ string, expires *time.Time) (ingest.Credential, error) {
	defer f.lock()()
	return f.add(ingest.Credential{Tenant: t, Kind: ingest.PublicKey, Label: label, Fingerprint: "SHA256:x", ExpiresAt: expires})
}

func (f *fakeLedger) AddClient(_ context.Context, t ingest.TenantID, label string, expires *time.Time) (ingest.Credential, string, error) {
	defer f.lock()()
	c, err := f.add(ingest.Credential{Tenant: t, Kind: ingest.Client, Label: label, ExpiresAt: expires})
	f.secrets[c.ID] = "secret-of-" + string(c.ID)
	return c, f.secrets[c.ID], err
}

func (f *fakeLedger) ListCredentials(_ context.Context, t ingest.TenantID) ([]ingest.Credential, error) {
	defer f.lock()()
	var out []ingest.Credential
	for _, c := range f.credentials {
		if c.Tenant == t {
			out = append(out, c)
		}
	}
	return out, f.broken
}

func (f *fakeLedger) RevokeCredential(_ context.Context, t ingest.TenantID, id ingest.CredentialID) error {
	defer f.lock()()
	for i, c := range f.credentials {
		if c.ID == id && c.Tenant == t {
			now := f.clock()
			f.credentials[i].RevokedAt = &now
			for token, identity := range f.tokens {
				if identity.Credential == id {
					delete(f.tokens, token)
				}
			}
			return f.broken
		}
	}
	return absent("credential")
}

func (f *fakeLedger) IssueToken(_ context.Context, id ingest.CredentialID, secret string, lifetime time.Duration) (string, error) {
	defer f.lock()()
	if f.broken != nil {
		return "", f.broken
	}
	for _, c := range f.credentials {
		if c.ID == id && c.Kind == ingest.Client && c.RevokedAt == nil && f.secrets[id] == secret && lifetime > 0 {
			token := fmt.Sprintf("token-%x", sha256.Sum256([]byte(fmt.Sprint(id, len(f.tokens)))))
			f.tokens[token] = ingest.Identity{Credential: id, Tenant: c.Tenant, Label: c.Label}
			return token, nil
		}
	}
	return "", ingest.Errorf(ingest.Denied, "fake", "no")
}

func (f *fakeLedger) VerifyToken(_ context.Context, token string) (ingest.Identity, error) {
	defer f.lock()()
	identity, ok := f.tokens[token]
	switch {
	case f.broken != nil:
		return identity, f.broken
	case !ok:
		return identity, ingest.Errorf(ingest.Denied, "fake", "unknown token")
	}
	return identity, nil
}

func (f *fakeLedger) PutMapping(_ context.Context, t ingest.TenantID, yaml []byte, by string) (ingest.MappingVersion, error) {
	defer f.lock()()
	versions := f.mappings[t]
	if n := len(versions); n > 0 && string(versions[n-1].YAML) == string(yaml) {
		return versions[n-1], f.broken
	}
	m := ingest.MappingVersion{Tenant: t, Version: len(versions) + 1, YAML: slices.Clone(yaml), CreatedAt: f.clock(), CreatedBy: by}
	f.mappings[t] = append(versions, m)
	return m, f.broken
}

func (f *fakeLedger) Mapping(_ context.Context, t ingest.TenantID, version int) (ingest.MappingVersion, error) {
	defer f.lock()()
	versions := f.mappings[t]
	if version < 0 {
		version = len(versions)
	}
	switch {
	case version == 0:
		return ingest.MappingVersion{Tenant: t}, f.broken
	case version > len(versions):
		return ingest.MappingVersion{}, absent("version")
	}
	return versions[version-1], f.broken
}

func (f *fakeLedger) ListMappings(_ context.Context, t ingest.TenantID) ([]ingest.MappingVersion, error) {
	defer f.lock()()
	out := slices.Clone(f.mappings[t])
	slices.Reverse(out)
	for i := range out {
		out[i].YAML = nil
	}
	return out, f.broken
}

func (f *fakeLedger) find(t ingest.TenantID, id ingest.ImportID) (*ingest.Import, error) {
	for i := range f.imports {
		if f.imports[i].ID == id && (t == "" || t == f.imports[i].Tenant) {
			return &f.imports[i], f.broken
		}
	}
	return nil, absent("import " + string(id))
}

func (f *fakeLedger) Import(_ context.Context, t ingest.TenantID, id ingest.ImportID) (ingest.Import, error) {
	defer f.lock()()
	imp, err := f.find(t, id)
	if err != nil {
		return ingest.Import{}, err
	}
	return *imp, nil
}

func (f *fakeLedger) ListImports(_ context.Context, filter ingest.ImportFilter) ([]ingest.Import, error) {
	defer f.lock()()
	var out []ingest.Import
	for _, imp := range slices.Backward(f.imports) {
		if (filter.Tenant == "" || filter.Tenant == imp.Tenant) && (filter.Before == 0 || imp.Seq < filter.Before) &&
			(len(filter.States) == 0 || slices.Contains(filter.States, imp.State)) && len(out) < filter.Limit {
			out = append(out, imp)
		}
	}
	return out, f.broken
}

func (f *fakeLedger) SampleRejects(_ context.Context, id ingest.ImportID, limit int) (rejects, warnings []ingest.Reject, err error) {
	defer f.lock()()
	all := f.rejects[id]
	return all[:min(limit, len(all))], nil, f.broken
}

// request changes an import's state if the present one allows it.
func (f *fakeLedger) request(t ingest.TenantID, id ingest.ImportID, by string, next ingest.State) (ingest.Import, error) {
	defer f.lock()()
	imp, err := f.find(t, id)
	if err != nil {
		return ingest.Import{}, err
	}
	if !imp.State.CanBecome(next) {
		return *imp, ingest.WithHint(ingest.Errorf(ingest.Conflict, "fake", "the import is %s", imp.State), "look at its status")
	}
	imp.State = next
	f.requests = append(f.requests, fmt.Sprintf("%s %s by %s", next, id, by))
	return *imp, nil
}

func (f *fakeLedger) RequestPromotion(_ context.Context, t ingest.TenantID, id ingest.ImportID, by, override string) (ingest.Import, error) {
	if f.before != nil {
		f.before()
	}
	f.mu.Lock()
	imp, err := f.find(t, id)
	if err == nil && imp.State == ingest.Rejected && override == "" {
		err = ingest.WithHint(ingest.Errorf(ingest.Conflict, "fake", "the import is rejected"), "give a reason in override")
	}
	if err == nil {
		for _, older := range f.imports {
			if older.Tenant == imp.Tenant && older.Seq < imp.Seq && older.State == ingest.Staged {
				err = ingest.Errorf(ingest.Conflict, "fake", "the older import %s is staged", older.ID)
			}
		}
	}
	f.mu.Unlock()
	if err != nil {
		return ingest.Import{}, err
	}
	return f.request(t, id, by, ingest.Promoting)
}

func (f *fakeLedger) RequestRollback(_ context.Context, t ingest.TenantID, id ingest.ImportID, by string) (ingest.Import, error) {
	return f.request(t, id, by, ingest.RollingBack)
}

func (f *fakeLedger) Cancel(_ context.Context, t ingest.TenantID, id ingest.ImportID, by string) (ingest.Import, error) {
	return f.request(t, id, by, ingest.Cancelled)
}

func (f *fakeLedger) Retry(_ context.Context, t ingest.TenantID, id ingest.ImportID, by string) (ingest.Import, error) {
	return f.request(t, id, by, ingest.Queued)
}

func (f *fakeLedger) Rerun(_ context.Context, t ingest.TenantID, id ingest.ImportID, version int, by string) (ingest.Import, error) {
	defer f.lock()()
	old, err := f.find(t, id)
	if err != nil {
		return ingest.Import{}, err
	}
	if old.State.Running() {
		return ingest.Import{}, ingest.WithHint(ingest.Errorf(ingest.Conflict, "fake", "the import is %s", old.State), "wait until it is over")
	}
	if version == ingest.LatestVersion {
		version = len(f.mappings[old.Tenant])
	}
	next := ingest.Import{
		ID: ingest.NewImportID(), Seq: int64(len(f.imports) + 1), Tenant: old.Tenant, Schema: old.Schema, MappingVersion: version, State: ingest.Queued,
		RerunOf: old.ID, CreatedAt: old.CreatedAt, Files: old.Files,
	}
	old.RerunAs = next.ID
	f.imports = append(f.imports, next)
	f.requests = append(f.requests, fmt.Sprintf("rerun %s by %s", id, by))
	return next, nil
}

func (f *fakeLedger) Remember(_ context.Context, caller, key string, request [32]byte) (*ingest.Response, error) {
	defer f.lock()()
	known := f.keys[caller+" "+key]
	switch {
	case known == nil:
		f.keys[caller+" "+key] = &rememberedKey{request: request}
		return nil, f.broken
	case known.request != request:
		return nil, ingest.Errorf(ingest.Invalid, "fake", "another request")
	case known.response == nil:
		return nil, ingest.Errorf(ingest.Conflict, "fake", "under way")
	}
	return known.response, nil
}

func (f *fakeLedger) Settle(_ context.Context, caller, key string, response *ingest.Response) error {
	defer f.lock()()
	if response == nil {
		delete(f.keys, caller+" "+key)
		return nil
	}
	f.keys[caller+" "+key].response = &ingest.Response{
		Status: response.Status, ContentType: response.ContentType, Body: slices.Clone(response.Body),
	}
	return nil
}

func (f *fakeLedger) Receiving(context.Context, ingest.TenantID) error { return nil }

func (f *fakeLedger) Register(_ context.Context, r ingest.Registration) (ingest.Drop, error) {
	defer f.lock()()
	if f.broken != nil {
		return ingest.Drop{}, f.broken
	}
	d := ingest.Drop{
		ID: r.ID, Tenant: r.Tenant, Path: r.Path, Key: r.Key, Size: r.Size, SHA256: r.SHA256, Via: r.Via, By: r.By,
		State: ingest.DropPending, ReceivedAt: r.ReceivedAt,
	}
	for _, older := range f.drops {
		if older.Tenant == d.Tenant && older.Path == d.Path && older.SHA256 == d.SHA256 {
			d.State, d.DuplicateOf = ingest.DropDuplicate, older.ID
		}
	}
	f.drops = append(f.drops, d)
	return d, nil
}

func (f *fakeLedger) Drop(_ context.Context, t ingest.TenantID, id ingest.DropID) (ingest.Drop, error) {
	defer f.lock()()
	for _, d := range f.drops {
		if d.ID == id && d.Tenant == t {
			return d, f.broken
		}
	}
	return ingest.Drop{}, absent("drop")
}

func (f *fakeLedger) ListDrops(_ context.Context, t ingest.TenantID, before ingest.DropID, limit int) ([]ingest.Drop, error) {
	defer f.lock()()
	var out []ingest.Drop
	seen := before == ""
	for _, d := range slices.Backward(f.drops) {
		if d.Tenant == t && seen && len(out) < limit {
			out = append(out, d)
		}
		seen = seen || d.ID == before
	}
	return out, f.broken
}
