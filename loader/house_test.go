package loader_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/ingest/ledger"
	"dropline/internal/devstack/devtest"
	"dropline/loader"
	"dropline/loader/staging"
	"dropline/schema"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5/pgxpool"
)

const acme ingest.TenantID = "acme"

// house is a tenant's world without servers: files come in by the receiver, and a loader works on them.
type house struct {
	*testing.T
	pool      *pgxpool.Pool
	ledger    *ledger.Ledger
	bucket    *gatedBucket
	receiver  *ingest.Receiver
	store     *staging.Store
	schemas   *schema.Catalogue
	databases loader.Databases
	propose   loader.Propose
	onStop    func() // called when a loader has been told to stop, nil for nothing
}

// newHouse makes a tenant whose files are imported as they come, and which has that reject limit.
func newHouse(t *testing.T, limit float64) *house {
	t.Helper()
	return newHouseOn(t, limit, devtest.Postgres(t), devtest.S3(t))
}

func newHouseOn(t *testing.T, limit float64, database string, s3 devtest.S3Server) *house {
	t.Helper()
	h := &house{T: t, schemas: newCatalogue()}
	var errs [5]error
	var objects *bucket.Bucket
	h.pool, errs[0] = pgxpool.New(t.Context(), database)
	h.must(errs[0])
	t.Cleanup(h.pool.Close)
	h.ledger, errs[0] = ledger.Open(t.Context(), ledger.Config{Pool: h.pool})
	objects, errs[1] = bucket.New(bucket.Config{
		Name: s3.Bucket, Region: s3.Region, Endpoint: s3.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(s3.AccessKey, s3.SecretKey, ""),
	})
	h.bucket = &gatedBucket{Bucket: objects}
	h.receiver, errs[2] = ingest.NewReceiver(h.ledger, objects, ingest.ReceiverConfig{})
	h.store, errs[3] = staging.New(h.pool, staging.Config{})
	h.must(errors.Join(errs[:]...))
	h.must(h.ledger.Migrate(t.Context()))
	_, err := h.ledger.CreateTenant(t.Context(), ingest.Tenant{
		ID: acme, Name: "Acme", Schema: ingest.DefaultSchema, TimeZone: "UTC", Enabled: true, RejectLimit: limit,
	})
	h.must(err)
	return h
}

func newCatalogue() *schema.Catalogue { return schema.NewCatalogue() }

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// work runs a loader until the returned function is called, or the test ends.
func (h *house) work() (stop func()) {
	h.Helper()
	l, err := loader.New(loader.Config{
		Pool: h.pool, Ledger: h.ledger, Bucket: h.bucket, Store: h.store, Schemas: h.schemas, Logger: slog.New(slog.DiscardHandler),
		Databases: h.databases, Propose: h.propose,
	})
	h.must(err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.Context()))
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if h.onStop != nil {
			h.onStop()
		}
		if err := <-ended; err != nil {
			h.Errorf("the loader ended with %v", err)
		}
	})
	h.Cleanup(stop)
	return stop
}

// send receives a file and returns the import that it became.
func (h *house) send(name, body string) ingest.ImportID {
	h.Helper()
	drop, err := h.receiver.Receive(h.Context(), ingest.Delivery{
		Tenant: acme, Path: "/inbox/" + name, Via: ingest.ViaHTTP, By: "test",
	}, strings.NewReader(body))
	h.must(err)
	return drop.Import
}

func (h *house) get(id ingest.ImportID) ingest.Import {
	h.Helper()
	imp, err := h.ledger.Import(h.Context(), acme, id)
	h.must(err)
	return imp
}

// until waits for the import to be as ok wants it.
func (h *house) until(id ingest.ImportID, what string, ok func(ingest.Import) bool) ingest.Import {
	h.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		imp := h.get(id)
		switch {
		case ok(imp):
			return imp
		case time.Now().After(deadline):
			h.Fatalf("it is never %s: %+v", what, imp)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (h *house) untilState(id ingest.ImportID, want ingest.State) ingest.Import {
	h.Helper()
	return h.until(id, string(want), func(i ingest.Import) bool { return i.State == want })
}

// rows returns the ids of a table's staged rows.
func (h *house) rows(id ingest.ImportID, table string) []string {
	h.Helper()
	rows, err := h.tryRows(id, table)
	h.must(err)
	return rows
}

func (h *house) tryRows(id ingest.ImportID, table string) ([]string, error) {
	h.Helper()
	imp := h.get(id)
	s, _ := h.schemas.Lookup(imp.Schema)
	raw, _, err := h.store.Rows(h.Context(), staging.Target{Tenant: acme, Import: id, Seq: imp.Seq, Schema: s}, table, 0, 500)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(raw))
	for _, r := range raw {
		out = append(out, string(r))
	}
	return out, nil
}

// gatedBucket is a bucket in whose way a test can put something.
type gatedBucket struct {
	ingest.Bucket
	mu       sync.Mutex
	onOpen   func(io.ReadCloser) (io.ReadCloser, error)
	onCreate func(key string)
}

func (b *gatedBucket) set(onOpen func(io.ReadCloser) (io.ReadCloser, error), onCreate func(key string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onOpen, b.onCreate = onOpen, onCreate
}

// Open implements ingest.Bucket.
func (b *gatedBucket) Open(ctx context.Context, key string, offset, length int64, ifMatch string) (io.ReadCloser, ingest.Object, error) {
	b.mu.Lock()
	gate := b.onOpen
	b.mu.Unlock()
	body, object, err := b.Bucket.Open(ctx, key, offset, length, ifMatch)
	if err == nil && gate != nil {
		body, err = gate(body)
	}
	return body, object, err
}

// Create implements ingest.Bucket.
func (b *gatedBucket) Create(ctx context.Context, key string) (ingest.ObjectWriter, error) {
	b.mu.Lock()
	gate := b.onCreate
	b.mu.Unlock()
	if gate != nil {
		gate(key)
	}
	return b.Bucket.Create(ctx, key)
}

// gatedBody gives its first bytes at once and the rest when the gate is opened.
type gatedBody struct {
	io.ReadCloser
	free int
	gate <-chan struct{}
}

// Read implements io.Reader.
func (g *gatedBody) Read(p []byte) (int, error) {
	if g.free == 0 {
		<-g.gate
		return g.ReadCloser.Read(p)
	}
	n, err := g.ReadCloser.Read(p[:min(len(p), g.free)])
	g.free -= n
	return n, err
}
