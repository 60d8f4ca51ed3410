package bucket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/internal/devstack/devtest"
)

// config is for a bucket on a test server.
func config(server devtest.S3Server) bucket.Config {
	return bucket.Config{
		Name: server.Bucket, Region: server.Region, Endpoint: server.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(server.AccessKey, server.SecretKey, ""),
	}
}

func open(t *testing.T, cfg bucket.Config) *bucket.Bucket {
	t.Helper()
	b, err := bucket.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// noise is n bytes that do not repeat, the same for the same seed.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

// write stores body in writes of odd sizes and commits.
func write(t *testing.T, w ingest.ObjectWriter, body []byte, metadata map[string]string) ingest.Object {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(len(body))))
	for rest := body; len(rest) > 0; {
		n := min(len(rest), 1+r.IntN(300_000))
		if m, err := w.Write(rest[:n]); err != nil || m != n {
			t.Fatalf("writing %d bytes: %d, %v", n, m, err)
		}
		rest = rest[n:]
	}
	o, err := w.Commit(t.Context(), metadata)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return o
}

func create(t *testing.T, b *bucket.Bucket, key string) ingest.ObjectWriter {
	t.Helper()
	w, err := b.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func read(t *testing.T, b *bucket.Bucket, key string, offset, length int64) ([]byte, ingest.Object) {
	t.Helper()
	body, o, err := b.Open(t.Context(), key, offset, length, "")
	if err != nil {
		t.Fatalf("open %s at %d: %v", key, offset, err)
	}
	got, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatalf("read %s at %d: %v", key, offset, err)
	}
	return got, o
}

func keys(t *testing.T, b *bucket.Bucket, prefix, after string) []string {
	t.Helper()
	var got []string
	if err := b.List(t.Context(), prefix, after, func(o ingest.Object) bool { got = append(got, o.Key); return true }); err != nil {
		t.Fatal(err)
	}
	return got
}

// everything is all that the server has in the bucket: objects and unfinished uploads.
func everything(t *testing.T, server devtest.S3Server) []string {
	t.Helper()
	client := server.Client()
	objects, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &server.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	uploads, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &server.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, o := range objects.Contents {
		all = append(all, aws.ToString(o.Key))
	}
	for _, u := range uploads.Uploads {
		all = append(all, "upload of "+aws.ToString(u.Key))
	}
	return all
}

// TestConformance holds the promises of ingest.Bucket against two independent S3 servers.
func TestConformance(t *testing.T) {
	t.Parallel()
	servers := map[string]func(testing.TB) devtest.S3Server{"versitygw": devtest.S3, "gofakes3": devtest.FakeS3}
	configs := map[string]func(*bucket.Config){
		"growing": func(*bucket.Config) {},
		"fixed":   func(c *bucket.Config) { c.FixedPartSize = 6 << 20 },
		"bare":    func(c *bucket.Config) { c.NoChecksums = true },
	}
	tests := map[string]func(*testing.T, devtest.S3Server, *bucket.Bucket){
		"Sizes": testSizes, "Ranges": testRanges, "Append": testAppend, "Abort": testAbort, "Missing": testMissing,
		"List": testList, "Replace": testReplace, "Stale": testStale, "IfMatch": testIfMatch, "Misuse": testMisuse,
	}
	for serverName, start := range servers {
		for configName, change := range configs {
			for name, test := range tests {
				t.Run(serverName+"/"+configName+"/"+name, func(t *testing.T) {
					t.Parallel()
					server := start(t)
					cfg := config(server)
					change(&cfg)
					test(t, server, open(t, cfg))
				})
			}
		}
	}
}

func testSizes(t *testing.T, _ devtest.S3Server, b *bucket.Bucket) {
	const mib = 1 << 20
	metadata := map[string]string{"dropline-sha256": "abc", "dropline-path": "L2luYm94"}
	for i, size := range []int{0, 1, 20_000, 64 << 10, 5*mib - 1, 6 * mib, 6*mib + 1, 8 * mib, 8*mib + 1, 16 * mib, 21*mib + 7} {
		body := noise(uint64(i), size)
		key := fmt.Sprintf("drops/t/%d", size)
		want := metadata
		if i%2 == 1 {
			want = nil
		}
		w := create(t, b, key)
		o := write(t, w, body, want)
		if w.Size() != int64(size) || o.Size != int64(size) || o.ETag == "" || time.Since(o.ModTime).Abs() > time.Minute {
			t.Errorf("%d bytes: writer has %d, object %+v", size, w.Size(), o)
		}
		got, opened := read(t, b, key, 0, -1)
		if !bytes.Equal(got, body) {
			t.Errorf("%d bytes: read back %d other bytes", size, len(got))
		}
		stat, err := b.Stat(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		stat.ModTime, o.ModTime, opened.ModTime = time.Time{}, time.Time{}, time.Time{}
		if diff := cmp.Diff(ingest.Object{Key: key, Size: int64(size), ETag: o.ETag, Metadata: want}, stat); diff != "" {
			t.Errorf("stat of %d bytes: %s", size, diff)
		}
		if diff := cmp.Diff(stat, opened); diff != "" {
			t.Errorf("open and stat differ: %s", diff)
		}
		if err := w.Abort(t.Context()); err != nil {
			t.Errorf("abort after commit: %v", err)
		}
		if again, _ := read(t, b, key, 0, -1); len(again) != size {
			t.Errorf("abort after commit touched the object: %d bytes of %d", len(again), size)
		}
		if err := b.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	if left := keys(t, b, "", ""); len(left) != 0 {
		t.Errorf("left after deletion: %v", left)
	}
}

func testRanges(t *testing.T, _ devtest.S3Server, b *bucket.Bucket) {
	body := noise(1, 9<<20)
	write(t, create(t, b, "drops/t/ranges"), body, map[string]string{"a": "b"})
	size := int64(len(body))
	for _, r := range []struct{ offset, length, want int64 }{
		{0, 0, 0},
		{0, 1, 1},
		{0, size, size},
		{0, size + 10, size},
		{size - 1, -1, 1},
		{size - 1, 5, 1},
		{size, -1, 0},
		{size + 5, -1, 0},
		{1 << 20, 3 << 20, 3 << 20},
		{5, -1, size - 5},
	} {
		got, o := read(t, b, "drops/t/ranges", r.offset, r.length)
		if int64(len(got)) != r.want || (r.want > 0 && !bytes.Equal(got, body[r.offset:r.offset+r.want])) {
			t.Errorf("from %d, %d bytes: got %d, want %d", r.offset, r.length, len(got), r.want)
		}
		if o.Size != size || o.Metadata["a"] != "b" {
			t.Errorf("from %d, %d bytes: object %+v", r.offset, r.length, o)
		}
	}
	if _, _, err := b.Open(t.Context(), "drops/t/ranges", -1, 5, ""); ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("negative offset: %v", err)
	}
}

func testAppend(t *testing.T, server devtest.S3Server, b *bucket.Bucket) {
	const mib = 1 << 20
	body := noise(7, 15*mib)
	// Each round goes on where the one before stopped, as a client does whose connection breaks again and again.
	write(t, create(t, b, "drops/t/0"), body[:100], nil)
	at := 100
	for i, next := range []int{200, 5*mib - 1, 5 * mib, 5*mib + 3, 13 * mib, 13 * mib, len(body)} {
		from, key := fmt.Sprintf("drops/t/%d", i), fmt.Sprintf("drops/t/%d", i+1)
		w, err := b.Append(t.Context(), key, from, int64(at))
		if err != nil {
			t.Fatalf("append at %d: %v", at, err)
		}
		if w.Size() != int64(at) {
			t.Errorf("starts with %d bytes, want %d", w.Size(), at)
		}
		o := write(t, w, body[at:next], map[string]string{"round": fmt.Sprint(i)})
		if o.Size != int64(next) {
			t.Errorf("appended to %d, want %d", o.Size, next)
		}
		at = next
	}
	got, o := read(t, b, "drops/t/7", 0, -1)
	if sha256.Sum256(got) != sha256.Sum256(body) || o.Metadata["round"] != "6" {
		t.Errorf("after seven rounds: %d bytes, %v", len(got), o.Metadata)
	}
	// A shorter prefix than what is stored; and an odd name.
	w, err := b.Append(t.Context(), "drops/t/ä + b%20?c", "drops/t/7", 6*mib+1)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, []byte("end"), nil)
	w, err = b.Append(t.Context(), "drops/t/odd", "drops/t/ä + b%20?c", 6*mib+4)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, nil, nil)
	got, _ = read(t, b, "drops/t/odd", 0, -1)
	if !bytes.Equal(got, append(body[:6*mib+1:6*mib+1], "end"...)) {
		t.Errorf("appended to a part of the object: %d bytes", len(got))
	}
	before := everything(t, server)
	if _, err := b.Append(t.Context(), "drops/t/long", "drops/t/7", 16*mib); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("a prefix longer than the object: %v", err)
	}
	if _, err := b.Append(t.Context(), "drops/t/none", "drops/t/nothing", 1); ingest.KindOf(err) != ingest.NotFound {
		t.Errorf("a prefix of nothing: %v", err)
	}
	if diff := cmp.Diff(before, everything(t, server)); diff != "" {
		t.Errorf("refused appends leave something: %s", diff)
	}
}

func testAbort(t *testing.T, server devtest.S3Server, b *bucket.Bucket) {
	for _, size := range []int{0, 10, 9 << 20, 30 << 20} {
		w := create(t, b, "drops/t/aborted")
		if _, err := w.Write(noise(3, size)); err != nil {
			t.Fatal(err)
		}
		if err := w.Abort(t.Context()); err != nil {
			t.Errorf("abort after %d bytes: %v", size, err)
		}
		if err := w.Abort(t.Context()); err != nil {
			t.Errorf("second abort: %v", err)
		}
		if _, err := w.Write([]byte("x")); err == nil {
			t.Error("a write after abort succeeds")
		}
		if _, err := w.Commit(t.Context(), nil); err == nil {
			t.Error("a commit after abort succeeds")
		}
	}
	// A context that ends is an abort's most common reason.
	ctx, cancel := context.WithCancel(t.Context())
	w, err := b.Create(ctx, "drops/t/cancelled")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(noise(3, 20<<20)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Commit(ctx, map[string]string{"a": "b"}); ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("commit of a cancelled upload: %v", err)
	}
	if err := w.Abort(t.Context()); err != nil {
		t.Error(err)
	}
	// A part that the server was still storing when its upload was aborted may bring the upload back, S3 says. That is for AbortStale,
	// which spares what an abort has not given up.
	const patience = 10 * time.Second
	for began := time.Now(); ; time.Sleep(patience / 50) {
		all := everything(t, server)
		if len(all) == 0 {
			break
		}
		if time.Since(began) > patience {
			t.Fatalf("aborted uploads leave %v", all)
		}
		if err := b.AbortStale(t.Context(), time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
	}
}

func testMissing(t *testing.T, _ devtest.S3Server, b *bucket.Bucket) {
	if _, err := b.Stat(t.Context(), "drops/t/none"); ingest.KindOf(err) != ingest.NotFound {
		t.Errorf("stat: %v", err)
	}
	for _, length := range []int64{-1, 0, 5} {
		if _, _, err := b.Open(t.Context(), "drops/t/none", 0, length, ""); ingest.KindOf(err) != ingest.NotFound {
			t.Errorf("open for %d bytes: %v", length, err)
		}
	}
	if err := b.Delete(t.Context(), "drops/t/none"); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
	if err := b.Healthy(t.Context()); err != nil {
		t.Errorf("healthy: %v", err)
	}
}

func testList(t *testing.T, _ devtest.S3Server, b *bucket.Bucket) {
	var want []string
	for _, key := range []string{"drops/a/1", "drops/a/2", "drops/a-b/3", "drops/a.b", "inbox/t/sub/x.csv", "inbox/t/y.csv"} {
		write(t, create(t, b, key), []byte(key), nil)
		want = append(want, key)
	}
	write(t, create(t, b, "reports/r"), noise(1, 9<<20), map[string]string{"a": "b"}) // with metadata beside it
	want = append(want, "reports/r")
	got := keys(t, b, "", "")
	if diff := cmp.Diff(sorted(want), got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"drops/a/1", "drops/a/2"}, keys(t, b, "drops/a/", "")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"drops/a/2"}, keys(t, b, "drops/a/", "drops/a/1")); diff != "" {
		t.Error(diff)
	}
	n := 0
	if err := b.List(t.Context(), "", "", func(ingest.Object) bool { n++; return n < 2 }); err != nil || n != 2 {
		t.Errorf("stopped after %d, %v", n, err)
	}
}

func sorted(s []string) []string {
	out := append([]string(nil), s...)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j] < out[i] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

func testReplace(t *testing.T, server devtest.S3Server, b *bucket.Bucket) {
	for i, size := range []int{9 << 20, 10, 17 << 20, 0} {
		body := noise(uint64(i), size)
		write(t, create(t, b, "reports/t/x"), body, map[string]string{"n": fmt.Sprint(i)})
		got, o := read(t, b, "reports/t/x", 0, -1)
		if !bytes.Equal(got, body) || o.Metadata["n"] != fmt.Sprint(i) {
			t.Errorf("replaced by %d bytes: %d bytes, %v", size, len(got), o.Metadata)
		}
	}
	// An upload that does not come to its end changes nothing.
	w := create(t, b, "reports/t/x")
	if _, err := w.Write(noise(9, 20<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(t.Context()); err != nil {
		t.Error(err)
	}
	if got, o := read(t, b, "reports/t/x", 0, -1); len(got) != 0 || o.Metadata["n"] != "3" {
		t.Errorf("after an aborted replacement: %d bytes, %v", len(got), o.Metadata)
	}
	_ = server
}

func testStale(t *testing.T, server devtest.S3Server, b *bucket.Bucket) {
	client := server.Client()
	for _, key := range []string{"drops/t/dead", "reports/t/dead", "inbox/t/theirs"} {
		if _, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &server.Bucket, Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	alive := create(t, b, "drops/t/alive")
	if _, err := alive.Write(noise(1, 9<<20)); err != nil {
		t.Fatal(err)
	}
	if err := b.AbortStale(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := everything(t, server); len(got) != 4 {
		t.Errorf("young uploads were ended: %v are left", got)
	}
	if err := b.AbortStale(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"upload of drops/t/alive", "upload of inbox/t/theirs"}, everything(t, server)); diff != "" {
		t.Error(diff)
	}
	if o := write(t, alive, []byte("end"), nil); o.Size != 9<<20+3 {
		t.Errorf("the living upload ends with %d bytes", o.Size)
	}
}

func testIfMatch(t *testing.T, _ devtest.S3Server, b *bucket.Bucket) {
	o := write(t, create(t, b, "inbox/t/x"), []byte("one"), nil)
	if _, _, err := b.Open(t.Context(), "inbox/t/x", 0, -1, o.ETag); err != nil {
		t.Errorf("the tag it has: %v", err)
	}
	write(t, create(t, b, "inbox/t/x"), []byte("two"), nil)
	for _, length := range []int64{-1, 0, 2} {
		if _, _, err := b.Open(t.Context(), "inbox/t/x", 0, length, o.ETag); ingest.KindOf(err) != ingest.Conflict {
			t.Errorf("the tag it had, for %d bytes: %v", length, err)
		}
	}
}

func testMisuse(t *testing.T, _ devtest.S3Server, b *bucket.Bucket) {
	w := create(t, b, "drops/t/x")
	write(t, w, []byte("x"), nil)
	if _, err := w.Commit(t.Context(), nil); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("second commit: %v", err)
	}
	if _, err := b.Append(t.Context(), "drops/t/x", "drops/t/x", 1); ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("append to itself: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Create(ctx, "drops/t/y"); ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("create in an ended context: %v", err)
	}
}

func TestConfigIsValidated(t *testing.T) {
	t.Parallel()
	keys := credentials.NewStaticCredentialsProvider("a", "secret-b", "")
	for name, cfg := range map[string]bucket.Config{
		"no name":        {Credentials: keys},
		"no credentials": {Name: "b"},
		"odd endpoint":   {Name: "b", Credentials: keys, Endpoint: "localhost:9000"},
		"small parts":    {Name: "b", Credentials: keys, FixedPartSize: 1 << 20},
		"negative":       {Name: "b", Credentials: keys, Memory: -1},
	} {
		if _, err := bucket.New(cfg); ingest.KindOf(err) != ingest.Invalid || strings.Contains(err.Error(), "secret-b") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
