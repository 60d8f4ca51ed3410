package ingest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/ingest/ledger"
	"dropline/internal/devstack/devtest"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5/pgxpool"
)

const acme ingest.TenantID = "acme"

// house is a ledger and a bucket, real ones, with a tenant whose batches stay open.
type house struct {
	ledger *ledger.Ledger
	bucket *bucket.Bucket
}

func newHouse(t *testing.T) house {
	t.Helper()
	ctx := t.Context()
	pool, err := pgxpool.New(ctx, devtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	led, err := ledger.Open(ctx, ledger.Config{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	if err := led.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	s3 := devtest.S3(t)
	b, err := bucket.New(bucket.Config{
		Name: s3.Bucket, Region: s3.Region, Endpoint: s3.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(s3.AccessKey, s3.SecretKey, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := led.CreateTenant(ctx, ingest.Tenant{
		ID: acme, Name: "Acme", Schema: ingest.DefaultSchema, TimeZone: "UTC", Enabled: true, QuietPeriod: time.Hour,
	}); err != nil {
		t.Fatal(err)
	}
	return house{led, b}
}

func (h house) receiver(t *testing.T, led interface {
	ingest.Files
	ingest.Tenants
},
) *ingest.Receiver {
	t.Helper()
	r, err := ingest.NewReceiver(led, h.bucket, ingest.ReceiverConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func delivery(path string) ingest.Delivery {
	return ingest.Delivery{Tenant: acme, Path: path, Via: ingest.ViaHTTP, By: "test"}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// stored reads an object back whole.
func (h house) stored(t *testing.T, key string) []byte {
	t.Helper()
	r, _, err := h.bucket.Open(t.Context(), key, 0, -1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h house) objects(t *testing.T) (keys []string) {
	t.Helper()
	err := h.bucket.List(t.Context(), "", "", func(o ingest.Object) bool { keys = append(keys, o.Key); return true })
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestReceiveKeepsBytesAndRegistersThem(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.receiver(t, h.ledger)
	for _, size := range []int{0, 1, 300_000, 20 << 20} {
		body := randomBytes(size)
		drop, err := r.Receive(t.Context(), delivery("/inbox/Matters.csv"), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if drop.Size != int64(size) || drop.SHA256 != sha256.Sum256(body) || drop.State != ingest.DropPending {
			t.Errorf("%d bytes became %+v", size, drop)
		}
		if !bytes.Equal(h.stored(t, drop.Key), body) {
			t.Errorf("%d bytes are not what was stored", size)
		}
	}
}

func TestABrokenBodyLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.receiver(t, h.ledger)
	broken := io.MultiReader(bytes.NewReader(randomBytes(20<<20)), errReader{})
	if _, err := r.Receive(t.Context(), delivery("/inbox/Matters.csv"), broken); !errors.Is(err, errBroken) {
		t.Fatalf("the body's error came back as %v", err)
	}
	if keys := h.objects(t); len(keys) > 0 {
		t.Errorf("objects were left: %v", keys)
	}
	if drops, err := h.ledger.ListDrops(t.Context(), acme, "", 10); err != nil || len(drops) > 0 {
		t.Errorf("drops were left: %v, %v", drops, err)
	}
}

func TestSuspendedUploadIsResumedExactly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.receiver(t, h.ledger)
	ctx := t.Context()
	body := randomBytes(23 << 20)
	for _, at := range []int{1, 5<<20 - 1, 12<<20 + 7} {
		u, err := r.Create(ctx, delivery("/inbox/Big.csv"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, u, body[:at])
		if err := u.Suspend(ctx); err != nil {
			t.Fatal(err)
		}
		entry, err := h.ledger.Lookup(ctx, acme, "/inbox/Big.csv")
		if err != nil || entry.Kind != ingest.EntryPartial || entry.Size != int64(at) {
			t.Fatalf("the partial is %+v, %v", entry, err)
		}
		if u, err = r.Resume(ctx, delivery("/inbox/Big.csv")); err != nil {
			t.Fatal(err)
		}
		if u.Size() != int64(at) {
			t.Fatalf("resumed at %d, want %d", u.Size(), at)
		}
		write(t, u, body[at:])
		drop, _, err := u.Commit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if drop.SHA256 != sha256.Sum256(body) || !bytes.Equal(h.stored(t, drop.Key), body) {
			t.Errorf("resumed at %d, the bytes differ", at)
		}
		if err := h.ledger.Remove(ctx, acme, "/inbox/Big.csv"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnUploadThatHungDoesNotHideTheFileSentSince(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.receiver(t, h.ledger)
	ctx := t.Context()
	hanging, err := r.Create(ctx, delivery("/inbox/Daily.csv"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, hanging, []byte("half"))
	drop, err := r.Receive(ctx, delivery("/inbox/Daily.csv"), bytes.NewReader([]byte("whole")))
	if err != nil {
		t.Fatal(err)
	}
	if err := hanging.Suspend(ctx); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("Suspend: %v", err)
	}
	entry, err := h.ledger.Lookup(ctx, acme, "/inbox/Daily.csv")
	if err != nil || entry.Drop != drop.ID {
		t.Errorf("the path holds %+v, %v", entry, err)
	}
	if keys := h.objects(t); len(keys) != 1 || keys[0] != drop.Key {
		t.Errorf("the bucket holds %q, want the drop's object only", keys)
	}
}

func TestSweepNeverTakesATorsoForAFile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	// PostgreSQL is away as the connection breaks: the bytes are in the bucket, and nothing is known of them.
	u, err := h.receiver(t, failing{h.ledger}).Create(ctx, delivery("/inbox/Matters.csv"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, u, randomBytes(10<<20))
	if err := u.Suspend(ctx); ingest.KindOf(err) != ingest.Unavailable {
		t.Fatalf("Suspend: %v", err)
	}
	keys := h.objects(t)
	if len(keys) != 1 {
		t.Fatalf("objects: %v", keys)
	}
	if found, err := h.receiver(t, h.ledger).Recover(ctx, keys[0]); found || err != nil {
		t.Errorf("a torso was registered: %v, %v", found, err)
	}
}

func TestRecoverRegistersWhatWasCommitted(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10, 10 << 20} {
		h := newHouse(t)
		ctx := t.Context()
		body := randomBytes(size)
		_, err := h.receiver(t, failing{h.ledger}).Receive(ctx, delivery("/inbox/Mätters.csv"), bytes.NewReader(body))
		if ingest.KindOf(err) != ingest.Unavailable {
			t.Fatalf("Receive: %v", err)
		}
		keys := h.objects(t)
		if len(keys) == 0 {
			t.Fatal("the object was not kept")
		}
		r := h.receiver(t, h.ledger)
		if found, err := r.Recover(ctx, keys[0]); !found || err != nil {
			t.Fatalf("not registered: %v, %v", found, err)
		}
		drop, err := h.ledger.LatestDrop(ctx, acme, "/inbox/Mätters.csv")
		if err != nil || drop.SHA256 != sha256.Sum256(body) || drop.By != "test" || drop.Via != ingest.ViaHTTP {
			t.Errorf("recovered as %+v, %v", drop, err)
		}
		if _, err := r.Recover(ctx, keys[0]); err != nil {
			t.Errorf("recovered twice: %v", err)
		}
		if drops, err := h.ledger.ListDrops(ctx, acme, "", 10); err != nil || len(drops) != 1 {
			t.Errorf("drops: %v, %v", drops, err)
		}
	}
}

func TestRecoverLeavesANewerDropInPlace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	_, err := h.receiver(t, failing{h.ledger}).Receive(ctx, delivery("/inbox/Matters.csv"), bytes.NewReader([]byte("old")))
	if ingest.KindOf(err) != ingest.Unavailable {
		t.Fatalf("Receive: %v", err)
	}
	old := h.objects(t)[0]
	r := h.receiver(t, h.ledger)
	want, err := r.Receive(ctx, delivery("/inbox/Matters.csv"), bytes.NewReader([]byte("new")))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := r.Recover(ctx, old); found || err != nil {
		t.Errorf("the older file was registered over the newer: %v, %v", found, err)
	}
	got, err := h.ledger.LatestDrop(ctx, acme, "/inbox/Matters.csv")
	if err != nil || got.ID != want.ID {
		t.Errorf("the latest drop is %+v, %v", got, err)
	}
}

func TestQuotaStopsTheUploadAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.limit(t, 1000)
	r := h.receiver(t, h.ledger)
	if _, err := r.Receive(ctx, delivery("/inbox/A.csv"), bytes.NewReader(make([]byte, 600))); err != nil {
		t.Fatal(err)
	}
	_, err := r.Receive(ctx, delivery("/inbox/B.csv"), bytes.NewReader(make([]byte, 600)))
	if ingest.KindOf(err) != ingest.Exhausted || ingest.HintOf(err) == "" {
		t.Fatalf("over the quota: %v, hint %q", err, ingest.HintOf(err))
	}
	if _, err := r.Receive(ctx, delivery("/inbox/C.csv"), bytes.NewReader(make([]byte, 400))); err != nil {
		t.Errorf("what still fits is refused: %v", err)
	}
}

func TestTemporaryNameIsNoDropUntilRenamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	r := h.receiver(t, h.ledger)
	u, err := r.Create(ctx, delivery("/inbox/Matters.csv.filepart"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, u, []byte("ImportId\n1\n"))
	drop, entry, err := u.Commit(ctx)
	if err != nil || drop.ID != "" || entry.Kind != ingest.EntryTemporary {
		t.Fatalf("committed as %+v, %+v, %v", drop, entry, err)
	}
	if err := h.ledger.Rename(ctx, acme, "/inbox/Matters.csv.filepart", "/inbox/Matters.csv", false); err != nil {
		t.Fatal(err)
	}
	got, err := h.ledger.LatestDrop(ctx, acme, "/inbox/Matters.csv")
	if err != nil || got.SHA256 != sha256.Sum256([]byte("ImportId\n1\n")) {
		t.Errorf("renamed, it is %+v, %v", got, err)
	}
}

func TestOnlyTheInboxTakesFiles(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.receiver(t, h.ledger)
	for _, path := range []string{"/archive/x.csv", "/reports/x.csv", "/inbox", "/", "x.csv", "/inbox/../archive/x", ""} {
		if _, err := r.Create(t.Context(), delivery(path)); ingest.KindOf(err) != ingest.Denied {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func write(t *testing.T, u *ingest.Upload, body []byte) {
	t.Helper()
	for len(body) > 0 {
		n := min(len(body), 255<<10)
		if _, err := u.Write(body[:n]); err != nil {
			t.Fatal(err)
		}
		body = body[n:]
	}
}

var errBroken = errors.New("the connection broke")

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errBroken }

// failing is a ledger whose PostgreSQL goes away when something is to be registered.
type failing struct{ *ledger.Ledger }

func (failing) Register(context.Context, ingest.Registration) (ingest.Drop, error) {
	return ingest.Drop{}, ingest.Errorf(ingest.Unavailable, "test", "PostgreSQL is away")
}

func (failing) Park(context.Context, ingest.EntryKind, ingest.Registration) (ingest.Entry, error) {
	return ingest.Entry{}, ingest.Errorf(ingest.Unavailable, "test", "PostgreSQL is away")
}
