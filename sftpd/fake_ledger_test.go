package sftpd_test

import (
	"bytes"
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"dropline/ingest"
)

// memoryLedger is the part of a ledger that SFTP needs, in memory, to inject faults into. The end to end tests use the real one.
type memoryLedger struct {
	ingest.Ledger // what is not implemented panics

	mu        sync.Mutex
	passwords map[string]string           // by user
	keys      map[string][]byte           // by user
	entries   map[ingest.TenantID]entries // by path
	partials  map[ingest.TenantID]entries //
	drops     []ingest.Registration       // in the order of registration
	quota     int64                       //
	disabled  map[ingest.TenantID]bool    //
	revoked   map[ingest.CredentialID]*time.Time
	expiry    map[ingest.CredentialID]*time.Time
	fault     func(op, path string) error // asked before each operation
	settings  map[string][]byte           //
	calls     map[string]int              //
	times     map[string]time.Time        // by path, as set
}

type entries map[string]ingest.Entry

func newMemoryLedger() *memoryLedger {
	return &memoryLedger{
		passwords: map[string]string{}, keys: map[string][]byte{}, entries: map[ingest.TenantID]entries{},
		partials: map[ingest.TenantID]entries{}, disabled: map[ingest.TenantID]bool{}, settings: map[string][]byte{},
		calls: map[string]int{}, times: map[string]time.Time{},
	}
}

func (l *memoryLedger) addTenant(id ingest.TenantID, password string, key []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.passwords[string(id)], l.keys[string(id)] = password, key
	l.entries[id], l.partials[id] = entries{}, entries{}
	for _, p := range []string{"/", ingest.Inbox, ingest.Archive, ingest.Reports} {
		l.entries[id][p] = ingest.Entry{Path: p, Kind: ingest.EntryDir, ModTime: time.Unix(1e9, 0)}
	}
}

func (l *memoryLedger) begin(op, p string) (func(), error) {
	l.mu.Lock()
	l.calls[op]++
	fault := l.fault
	l.mu.Unlock()
	if fault != nil {
		if err := fault(op, p); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	return l.mu.Unlock, nil
}

func (l *memoryLedger) setFault(fault func(op, path string) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = fault
}

func (l *memoryLedger) registered() []ingest.Registration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.drops)
}

func (l *memoryLedger) VerifyPassword(_ context.Context, user, password string) (ingest.Identity, error) {
	end, err := l.begin("verify", user)
	if err != nil {
		return ingest.Identity{}, err
	}
	defer end()
	if want, ok := l.passwords[user]; !ok || want == "" || want != password {
		return ingest.Identity{}, ingest.Errorf(ingest.Denied, "fake", "denied")
	}
	return ingest.Identity{Credential: "cred_1", Tenant: ingest.TenantID(user), Label: "laptop"}, nil
}

func (l *memoryLedger) VerifyPublicKey(_ context.Context, user string, key []byte) (ingest.Identity, error) {
	end, err := l.begin("verifykey", user)
	if err != nil {
		return ingest.Identity{}, err
	}
	defer end()
	if want := l.keys[user]; want == nil || !bytes.Equal(want, key) {
		return ingest.Identity{}, ingest.Errorf(ingest.Denied, "fake", "denied")
	}
	return ingest.Identity{Credential: "cred_2", Tenant: ingest.TenantID(user), Label: "key"}, nil
}

func (l *memoryLedger) Tenant(_ context.Context, id ingest.TenantID) (ingest.Tenant, error) {
	end, err := l.begin("tenant", "")
	if err != nil {
		return ingest.Tenant{}, err
	}
	defer end()
	return ingest.Tenant{ID: id, Enabled: !l.disabled[id]}, nil
}

func (l *memoryLedger) ListCredentials(_ context.Context, id ingest.TenantID) ([]ingest.Credential, error) {
	end, err := l.begin("credentials", "")
	if err != nil {
		return nil, err
	}
	defer end()
	list := []ingest.Credential{{ID: "cred_1", Tenant: id}, {ID: "cred_2", Tenant: id}}
	for i := range list {
		list[i].RevokedAt, list[i].ExpiresAt = l.revoked[list[i].ID], l.expiry[list[i].ID]
	}
	return list, nil
}

func (l *memoryLedger) Usage(_ context.Context, id ingest.TenantID) (ingest.Usage, error) {
	end, err := l.begin("usage", "")
	if err != nil {
		return ingest.Usage{}, err
	}
	defer end()
	u := ingest.Usage{Quota: l.quota}
	for _, e := range l.entries[id] {
		u.Bytes += e.Size
		u.Files++
	}
	return u, nil
}

func missing(p string) error { return ingest.Errorf(ingest.NotFound, "fake", "%s is not there", p) }

func (l *memoryLedger) Stat(_ context.Context, id ingest.TenantID, p string) (ingest.Entry, error) {
	end, err := l.begin("stat", p)
	if err != nil {
		return ingest.Entry{}, err
	}
	defer end()
	if e, ok := l.entries[id][p]; ok {
		return e, nil
	}
	if e, ok := l.partials[id][p]; ok {
		return e, nil
	}
	return ingest.Entry{}, missing(p)
}

func (l *memoryLedger) Lookup(ctx context.Context, id ingest.TenantID, p string) (ingest.Entry, error) {
	end, err := l.begin("lookup", p)
	if err != nil {
		return ingest.Entry{}, err
	}
	if e, ok := l.partials[id][p]; ok {
		end()
		return e, nil
	}
	end()
	return l.Stat(ctx, id, p)
}

func (l *memoryLedger) List(_ context.Context, id ingest.TenantID, folder, after string, limit int) ([]ingest.Entry, error) {
	end, err := l.begin("list", folder)
	if err != nil {
		return nil, err
	}
	defer end()
	var list []ingest.Entry
	for _, p := range slices.Sorted(maps.Keys(l.entries[id])) {
		if p != "/" && path.Dir(p) == folder && path.Base(p) > after && len(list) < limit {
			list = append(list, l.entries[id][p])
		}
	}
	return list, nil
}

func (l *memoryLedger) Mkdir(_ context.Context, id ingest.TenantID, p string) error {
	end, err := l.begin("mkdir", p)
	if err != nil {
		return err
	}
	defer end()
	if _, ok := l.entries[id][p]; ok {
		return ingest.Errorf(ingest.Conflict, "fake", "%s is there", p)
	}
	if l.entries[id][path.Dir(p)].Kind != ingest.EntryDir {
		return missing(path.Dir(p))
	}
	l.entries[id][p] = ingest.Entry{Path: p, Kind: ingest.EntryDir, ModTime: time.Now()}
	return nil
}

func (l *memoryLedger) Rmdir(_ context.Context, id ingest.TenantID, p string) error {
	end, err := l.begin("rmdir", p)
	if err != nil {
		return err
	}
	defer end()
	if l.entries[id][p].Kind != ingest.EntryDir {
		return missing(p)
	}
	for other := range l.entries[id] {
		if strings.HasPrefix(other, p+"/") {
			return ingest.Errorf(ingest.Conflict, "fake", "%s is not empty", p)
		}
	}
	delete(l.entries[id], p)
	return nil
}

func (l *memoryLedger) Remove(_ context.Context, id ingest.TenantID, p string) error {
	end, err := l.begin("remove", p)
	if err != nil {
		return err
	}
	defer end()
	if e, ok := l.entries[id][p]; !ok || e.Kind == ingest.EntryDir {
		return missing(p)
	}
	delete(l.entries[id], p)
	return nil
}

func (l *memoryLedger) Rename(_ context.Context, id ingest.TenantID, from, to string, replace bool) error {
	end, err := l.begin("rename", from)
	if err != nil {
		return err
	}
	defer end()
	e, ok := l.entries[id][from]
	if !ok {
		return missing(from)
	}
	if _, taken := l.entries[id][to]; taken && !replace {
		return ingest.Errorf(ingest.Conflict, "fake", "%s is there", to)
	}
	delete(l.entries[id], from)
	e.Path = to
	if e.Kind == ingest.EntryTemporary && !ingest.TemporaryName(to) {
		e.Kind = ingest.EntryDrop
		l.drops = append(l.drops, ingest.Registration{Delivery: ingest.Delivery{Tenant: id, Path: to}, Key: e.Key, Size: e.Size, SHA256: e.SHA256})
	}
	l.entries[id][to] = e
	return nil
}

func (l *memoryLedger) SetModTime(_ context.Context, id ingest.TenantID, p string, t time.Time) error {
	end, err := l.begin("setmodtime", p)
	if err != nil {
		return err
	}
	defer end()
	for _, in := range []entries{l.entries[id], l.partials[id]} {
		if e, ok := in[p]; ok {
			e.ModTime = t
			in[p] = e
			l.times[p] = t
			return nil
		}
	}
	return missing(p)
}

func (l *memoryLedger) put(kind ingest.EntryKind, r ingest.Registration) ingest.Entry {
	e := ingest.Entry{
		Path: r.Path, Kind: kind, Size: r.Size, ModTime: r.ReceivedAt, Key: r.Key, Drop: r.ID, SHA256: r.SHA256, HashState: r.HashState,
	}
	if kind == ingest.EntryPartial {
		l.partials[r.Tenant][r.Path] = e
		return e
	}
	l.entries[r.Tenant][r.Path] = e
	delete(l.partials[r.Tenant], r.Path)
	return e
}

func (l *memoryLedger) Register(_ context.Context, r ingest.Registration) (ingest.Drop, error) {
	end, err := l.begin("register", r.Path)
	if err != nil {
		return ingest.Drop{}, err
	}
	defer end()
	l.put(ingest.EntryDrop, r)
	l.drops = append(l.drops, r)
	return ingest.Drop{ID: r.ID, Tenant: r.Tenant, Path: r.Path, Key: r.Key, Size: r.Size, SHA256: r.SHA256, ReceivedAt: r.ReceivedAt, State: ingest.DropPending}, nil
}

func (l *memoryLedger) Park(_ context.Context, kind ingest.EntryKind, r ingest.Registration) (ingest.Entry, error) {
	end, err := l.begin("park", r.Path)
	if err != nil {
		return ingest.Entry{}, err
	}
	defer end()
	return l.put(kind, r), nil
}

func (l *memoryLedger) Receiving(context.Context, ingest.TenantID) error { return nil }

func (l *memoryLedger) Setting(_ context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.settings[name]; ok {
		return v, nil
	}
	v, err := create()
	if err == nil {
		l.settings[name] = v
	}
	return v, err
}
