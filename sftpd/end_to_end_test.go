package sftpd_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/ingest/ledger"
	"dropline/internal/devstack/devtest"
	"dropline/sftpd"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/ssh"
)

// real is a server on a PostgreSQL ledger and an S3 bucket.
type real struct {
	*rig
	ledger *ledger.Ledger
	bucket *bucket.Bucket
}

func newReal(t testing.TB) *real {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), devtest.Postgres(t))
	check(t, err)
	t.Cleanup(pool.Close)
	r := &real{rig: &rig{t: t}}
	r.ledger, err = ledger.Open(t.Context(), ledger.Config{Pool: pool})
	check(t, err)
	check(t, r.ledger.Migrate(t.Context()))
	s3 := devtest.S3(t)
	r.bucket, err = bucket.New(bucket.Config{
		Name: s3.Bucket, Region: s3.Region, Endpoint: s3.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(s3.AccessKey, s3.SecretKey, ""),
	})
	check(t, err)
	receiver, err := ingest.NewReceiver(r.ledger, r.bucket, ingest.ReceiverConfig{})
	check(t, err)
	r.start(sftpd.Config{Ledger: r.ledger, Receiver: receiver, Bucket: r.bucket})
	for _, id := range []ingest.TenantID{acme, globex} {
		_, err := r.ledger.CreateTenant(t.Context(), ingest.Tenant{
			ID: id, Name: string(id), Schema: ingest.DefaultSchema, TimeZone: "UTC", Enabled: true, QuietPeriod: time.Hour, RejectLimit: 0.1,
		})
		check(t, err)
	}
	_, err = r.ledger.AddPublicKey(t.Context(), acme, "key", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(r.key.PublicKey()))), nil)
	check(t, err)
	_, err = r.ledger.AddPassword(t.Context(), acme, "laptop", password, nil)
	check(t, err)
	return r
}

// drop returns the tenant's latest drop at path, and its bytes.
func (r *real) drop(path string) (ingest.Drop, []byte) {
	r.t.Helper()
	drop, err := r.ledger.LatestDrop(r.t.Context(), acme, path)
	check(r.t, err)
	body, _, err := r.bucket.Open(r.t.Context(), drop.Key, 0, -1, "")
	check(r.t, err)
	defer body.Close()
	data, err := io.ReadAll(body)
	check(r.t, err)
	return drop, data
}

func TestRealStores(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	small, large := r.file("Small.csv", 20_000), r.file("Large.csv", 40<<20+3)
	then := time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)
	check(t, os.Chtimes(filepath.Join(r.dir, "Small.csv"), then, then))
	out := r.mustSFTP(`put -p Small.csv
put Large.csv /inbox/Large.csv
put Small.csv /inbox/Renamed.csv.filepart
rename /inbox/Renamed.csv.filepart /inbox/Renamed.csv
mkdir /inbox/daily
put Small.csv /inbox/daily/
ls -l /inbox
ls -l /
df
get Large.csv back.csv
rm /inbox/daily/Small.csv
rmdir /inbox/daily
`)
	for name, want := range map[string][]byte{"Small.csv": small, "Large.csv": large, "Renamed.csv": small} {
		drop, got := r.drop("/inbox/" + name)
		if !bytes.Equal(got, want) || drop.SHA256 != sha256.Sum256(want) || drop.Via != ingest.ViaSFTP || drop.By != "key" {
			t.Errorf("%s: %+v", name, drop)
		}
		if !strings.Contains(out, " "+name) {
			t.Errorf("%s is not listed:\n%s", name, out)
		}
	}
	if !bytes.Equal(r.read("back.csv"), large) {
		t.Error("the bytes read differ")
	}
	entry, err := r.ledger.Stat(t.Context(), acme, "/inbox/Small.csv")
	check(t, err)
	if !entry.ModTime.Equal(then) {
		t.Errorf("time %v", entry.ModTime)
	}
	sum, _, status := r.run("sha256sum /inbox/Large.csv", "")
	if status != 0 || !strings.HasSuffix(sum, "  /inbox/Large.csv\n") {
		t.Errorf("%q %d", sum, status)
	}
	if out, err := r.withPassword("acme", password, "ls /inbox\n"); err != nil || !strings.Contains(out, "Renamed.csv") {
		t.Errorf("%v %s", err, out)
	}
	if _, err := r.ledger.Stat(t.Context(), globex, "/inbox/Small.csv"); ingest.KindOf(err) != ingest.NotFound {
		t.Errorf("globex: %v", err)
	}
}

func TestRealStoresResumeAfterABrokenConnection(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	whole := r.file("A.csv", 30<<20)
	const stored = 19<<20 + 4321 // over several parts, and into one
	w := r.raw()
	handle := w.open("/inbox/A.csv", write|create|trunc)
	for at := 0; at < stored; at += 200_000 {
		w.write(handle, uint64(at), whole[at:min(at+200_000, stored)])
		w.want(0, "")
	}
	check(t, w.conn.Close())
	eventually(t, "the partial is kept", func() bool {
		e, err := r.ledger.Lookup(t.Context(), acme, "/inbox/A.csv")
		return err == nil && e.Kind == ingest.EntryPartial && e.Size == stored
	})
	if list, err := r.ledger.ListDrops(t.Context(), acme, "", 10); err != nil || len(list) != 0 {
		t.Errorf("drops %v %v", list, err)
	}
	if out := r.mustSFTP("ls /inbox\n"); strings.Contains(out, "A.csv") {
		t.Errorf("the partial is listed: %s", out)
	}
	r.mustSFTP("reput A.csv /inbox/A.csv\n")
	if drop, got := r.drop("/inbox/A.csv"); !bytes.Equal(got, whole) || drop.SHA256 != sha256.Sum256(whole) {
		t.Error("the bytes or their hash differ")
	}
}

func TestRealStoresLFTPMirror(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	check(t, os.MkdirAll(filepath.Join(r.dir, "export"), 0o700))
	a := r.file("export/A.csv", 3<<20)
	if out, err := r.lftp("set xfer:use-temp-file true\nmirror -R export /inbox/export\n"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, got := r.drop("/inbox/export/A.csv"); !bytes.Equal(got, a) {
		t.Error("the bytes differ")
	}
}
