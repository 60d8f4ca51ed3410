package watch_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/ingest/ledger"
	"dropline/ingest/watch"
	"dropline/internal/devstack/devtest"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5/pgxpool"
)

const acme ingest.TenantID = "acme"

type house struct {
	ledger   *ledger.Ledger
	bucket   *bucket.Bucket
	receiver *ingest.Receiver
	watcher  *watch.Watcher
}

func newHouse(t *testing.T, quiet time.Duration) house {
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
	s3 := devtest.S3(t)
	b, bErr := bucket.New(bucket.Config{
		Name: s3.Bucket, Region: s3.Region, Endpoint: s3.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(s3.AccessKey, s3.SecretKey, ""),
	})
	r, rErr := ingest.NewReceiver(led, b, ingest.ReceiverConfig{})
	w, wErr := watch.New(watch.Config{Ledger: led, Bucket: b, Receiver: r, Settle: time.Nanosecond})
	if err := errors.Join(bErr, rErr, wErr, led.Migrate(ctx)); err != nil {
		t.Fatal(err)
	}
	if _, err := led.CreateTenant(ctx, ingest.Tenant{
		ID: acme, Name: "Acme", Schema: ingest.DefaultSchema, TimeZone: "UTC", Enabled: true, QuietPeriod: quiet,
	}); err != nil {
		t.Fatal(err)
	}
	return house{led, b, r, w}
}

// put writes an object as another program would.
func (h house) put(t *testing.T, key, body string) {
	t.Helper()
	w, err := h.bucket.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	_, wErr := w.Write([]byte(body))
	_, cErr := w.Commit(t.Context(), nil)
	if err := errors.Join(wErr, cErr); err != nil {
		t.Fatal(err)
	}
}

func (h house) sweep(t *testing.T) {
	t.Helper()
	// S3 tells times to the second: what was written in this one is not yet old.
	time.Sleep(1100 * time.Millisecond)
	if err := h.watcher.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (h house) paths(t *testing.T) []string {
	t.Helper()
	drops, err := h.ledger.ListDrops(t.Context(), acme, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for i := len(drops) - 1; i >= 0; i-- {
		paths = append(paths, drops[i].Path+" "+string(drops[i].State))
	}
	return paths
}

func TestSweepTakesWhatOthersWroteOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Hour)
	h.put(t, "inbox/acme/daily/Matters.csv", "one")
	for key, body := range map[string]string{
		"inbox/acme/Matters.csv.tmp": "unfinished", "inbox/nobody/Matters.csv": "x", "inbox/acme/": "", "inbox/stray.csv": "x",
		"inbox/ACME/x.csv": "x", "other/acme/x.csv": "x", "inbox/acme/../../x.csv": "x",
	} {
		if !strings.Contains(key, "..") { // the server itself refuses such a key
			h.put(t, key, body)
		}
	}
	h.sweep(t)
	h.sweep(t)
	if got := h.paths(t); len(got) != 1 || got[0] != "/inbox/daily/Matters.csv pending" {
		t.Fatalf("drops: %q", got)
	}
	h.put(t, "inbox/acme/daily/Matters.csv", "two")
	h.sweep(t)
	if got := h.paths(t); len(got) != 2 || got[0] != "/inbox/daily/Matters.csv superseded" {
		t.Errorf("after it was overwritten: %q", got)
	}
	if _, err := h.bucket.Stat(t.Context(), "inbox/acme/daily/Matters.csv"); err != nil {
		t.Errorf("the original: %v", err)
	}
}

// TestSweepTellsOnceOfWhatIsNobodys has objects of no tenant: they are named once, left alone, and no trouble of the sweep.
func TestSweepTellsOnceOfWhatIsNobodys(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Hour)
	var log bytes.Buffer
	w, err := watch.New(watch.Config{
		Ledger: h.ledger, Bucket: h.bucket, Receiver: h.receiver, Settle: time.Nanosecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.watcher = w
	r, err := ingest.NewReceiver(elsewhere{away{h.ledger}}, h.bucket, ingest.ReceiverConfig{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Receive(t.Context(), ingest.Delivery{Tenant: "bravo", Path: "/inbox/A.csv", Via: ingest.ViaSFTP}, strings.NewReader("a"))
	if ingest.KindOf(err) != ingest.Unavailable { // as it is when another database's server has stored it
		t.Fatal(err)
	}
	for _, key := range []string{"inbox/acmee/Matters.csv", "inbox/acmee/Clients.csv", "inbox/stray.csv"} {
		h.put(t, key, "x")
	}
	h.sweep(t)
	h.sweep(t)
	for _, under := range []string{"under=inbox/acmee", "under=inbox/stray.csv", "under=drops/*/bravo"} {
		if n := strings.Count(log.String(), under); n != 1 {
			t.Errorf("%s was told %d times:\n%s", under, n, log.String())
		}
	}
	if _, err := h.bucket.Stat(t.Context(), "inbox/acmee/Matters.csv"); err != nil {
		t.Errorf("it was not left alone: %v", err)
	}
}

func TestSweepRegistersWhatACrashLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Hour)
	r, err := ingest.NewReceiver(away{h.ledger}, h.bucket, ingest.ReceiverConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/inbox/A.csv", "/inbox/B.csv"} {
		_, err := r.Receive(t.Context(), ingest.Delivery{Tenant: acme, Path: path, Via: ingest.ViaSFTP}, bytes.NewReader([]byte(path)))
		if ingest.KindOf(err) != ingest.Unavailable {
			t.Fatal(err)
		}
	}
	h.sweep(t)
	h.sweep(t) // the second looks at the recent hours only, and finds nothing more to do
	if got := h.paths(t); len(got) != 2 {
		t.Errorf("drops: %q", got)
	}
}

func TestRunClosesABatchAfterItsQuietPeriod(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 300*time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.watcher.Run(ctx) }()
	for _, path := range []string{"/inbox/A.csv", "/inbox/B.csv", "/inbox/C.csv"} {
		d := ingest.Delivery{Tenant: acme, Path: path, Via: ingest.ViaSFTP}
		if _, err := h.receiver.Receive(ctx, d, bytes.NewReader([]byte(path))); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		imports, err := h.ledger.ListImports(ctx, ingest.ImportFilter{Tenant: acme})
		if err != nil {
			t.Fatal(err)
		}
		if len(imports) == 1 {
			imp, err := h.ledger.Import(ctx, acme, imports[0].ID)
			if err != nil || len(imp.Files) != 3 {
				t.Errorf("the batch is %+v, %v", imp.Files, err)
			}
			break
		}
		if len(imports) > 1 || time.Now().After(deadline) {
			t.Fatalf("%d imports", len(imports))
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// away is a ledger whose PostgreSQL is away when a drop is to be registered.
type away struct{ *ledger.Ledger }

func (away) Register(context.Context, ingest.Registration) (ingest.Drop, error) {
	return ingest.Drop{}, ingest.Errorf(ingest.Unavailable, "test", "PostgreSQL is away")
}

// elsewhere knows tenants that this database does not.
type elsewhere struct{ away }

func (elsewhere) Usage(context.Context, ingest.TenantID) (ingest.Usage, error) {
	return ingest.Usage{}, nil
}
