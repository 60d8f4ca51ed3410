package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/internal/devstack"
	"dropline/internal/devstack/devtest"
)

func TestPartsGrowToTheLargestObject(t *testing.T) {
	t.Parallel()
	total, last := int64(0), int64(0)
	for number := int32(1); number <= bucket.MaxParts; number++ {
		size := bucket.PartSize(number, 0)
		if size < last || size < bucket.MinPart || size > bucket.MaxPart {
			t.Fatalf("part %d has %d bytes after one of %d", number, size, last)
		}
		// Memory stays in proportion: a part is never more than a hundredth of what came before it, or the first size.
		if total < 600<<30 && size > max(8<<20, total/50) {
			t.Fatalf("part %d has %d bytes after %d in all", number, size, total)
		}
		total, last = total+size, size
	}
	if total < bucket.MaxSize {
		t.Errorf("10,000 parts hold %d bytes, less than 5 TiB", total)
	}
	for number, want := range map[int32]int64{0: 0, -1: 0, bucket.MaxParts + 1: 0} {
		if got := bucket.PartSize(number, 0); got != want {
			t.Errorf("part %d has %d bytes, want %d", number, got, want)
		}
	}
	if got := bucket.PartSize(9_999, 6<<20); got != 6<<20 {
		t.Errorf("a fixed part has %d bytes", got)
	}
}

// TestMemoryIsBounded runs many uploads at once through little memory.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const uploads, size, memory = 40, 12<<20 + 5, 64 << 20
	cfg := config(devtest.S3(t))
	cfg.Memory = memory
	b := open(t, cfg)
	body := noise(4, size)
	var heap uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap = max(heap, m.HeapInuse)
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	var group errgroup.Group
	for i := range uploads {
		group.Go(func() error {
			w, err := b.Create(t.Context(), fmt.Sprintf("drops/t/%d", i))
			if err != nil {
				return err
			}
			if _, err := io.Copy(w, bytes.NewReader(body)); err != nil {
				return err
			}
			_, err = w.Commit(t.Context(), nil)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-done
	now, peak := b.MemoryInUse()
	// Each upload's first quarter MiB comes on top, and a chunk that a part fills in part only.
	if now != 0 || peak > memory+uploads<<19 || peak < memory/4 {
		t.Errorf("%d bytes in use at the end, %d at most: want 0 and at most %d", now, peak, memory)
	}
	t.Logf("heap in use at most %d MiB, of it for uploads %d MiB", heap>>20, peak>>20)
	for i := range uploads {
		if got, _ := read(t, b, fmt.Sprintf("drops/t/%d", i), 0, -1); !bytes.Equal(got, body) {
			t.Errorf("upload %d: %d other bytes", i, len(got))
		}
	}
}

func TestServerGoneIsUnavailable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack := devtest.StackIn(t, dir)
	b := open(t, config(devtest.S3Server(stack.S3())))
	write(t, create(t, b, "drops/t/before"), []byte("x"), nil)
	w := create(t, b, "drops/t/during")
	if _, err := w.Write(noise(1, 9<<20)); err != nil {
		t.Fatal(err)
	}
	if err := stack.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, writeErr := w.Write(noise(1, 9<<20))
	if writeErr != nil && ingest.KindOf(writeErr) != ingest.Unavailable {
		t.Errorf("write: %v", writeErr)
	}
	var calls sync.WaitGroup
	for what, call := range map[string]func() error{
		"commit, abort": func() error {
			_, err := w.Commit(t.Context(), nil)
			if abortErr := w.Abort(t.Context()); ingest.KindOf(abortErr) != ingest.Unavailable {
				t.Errorf("abort: %v", abortErr)
			}
			return err
		},
		"stat": func() error { _, err := b.Stat(t.Context(), "drops/t/before"); return err },
		"open": func() error { _, _, err := b.Open(t.Context(), "drops/t/before", 0, -1, ""); return err },
		"list": func() error {
			return b.List(t.Context(), "", "", func(ingest.Object) bool { return true })
		},
		"delete":  func() error { return b.Delete(t.Context(), "drops/t/before") },
		"healthy": func() error { return b.Healthy(t.Context()) },
	} {
		calls.Go(func() {
			if err := call(); err == nil || ingest.KindOf(err) != ingest.Unavailable {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	calls.Wait()
	devtest.StackIn(t, dir)
	if err := b.Healthy(t.Context()); err != nil {
		t.Errorf("after its return: %v", err)
	}
	if got, _ := read(t, b, "drops/t/before", 0, -1); string(got) != "x" {
		t.Errorf("after its return: %q", got)
	}
	if err := w.Abort(t.Context()); err != nil {
		t.Errorf("abort after its return: %v", err)
	}
	if now, _ := b.MemoryInUse(); now != 0 {
		t.Errorf("%d bytes are still held", now)
	}
}

// TestFullDisk lets the embedded server's disk run full.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("only root can make a small disk: the answers of a full server are tested below")
		return
	}
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=48m"); err != nil {
		t.Logf("no small disk here: %v", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	stack, err := devstack.Start(t.Context(), devstack.Config{DataDir: disk, NoPostgres: true, S3Command: []string{devtest.S3Command(t)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Stop(context.Background()) })
	b := open(t, config(devtest.S3Server(stack.S3())))
	write(t, create(t, b, "drops/t/safe"), noise(1, 1<<20), map[string]string{"a": "b"})
	for _, size := range []int{80 << 20, 30 << 20} { // the parts do not fit; the parts do, but not the whole beside them
		w := create(t, b, "drops/t/large")
		_, err := w.Write(noise(2, size))
		if err == nil {
			_, err = w.Commit(t.Context(), nil)
		}
		if ingest.KindOf(err) != ingest.Exhausted || ingest.HintOf(err) == "" {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err := w.Abort(t.Context()); err != nil {
			t.Errorf("abort: %v", err)
		}
	}
	var last error
	for i := 0; i < 100 && last == nil; i++ {
		w := create(t, b, fmt.Sprintf("drops/t%d/small", i))
		if _, err := w.Write(noise(uint64(i), 700<<10)); err != nil {
			t.Fatal(err)
		}
		_, last = w.Commit(t.Context(), nil)
	}
	if ingest.KindOf(last) != ingest.Exhausted {
		t.Errorf("small objects: %v", last)
	}
	if got, o := read(t, b, "drops/t/safe", 0, -1); !bytes.Equal(got, noise(1, 1<<20)) || o.Metadata["a"] != "b" {
		t.Error("the full disk harmed a stored object")
	}
	if err := b.Delete(t.Context(), "drops/t0/small"); err != nil {
		t.Errorf("making room: %v", err)
	}
	if err := b.Delete(t.Context(), "drops/t1/small"); err != nil {
		t.Errorf("making room: %v", err)
	}
	write(t, create(t, b, "drops/t/again"), noise(3, 200<<10), nil)
}

// TestAnswersBecomeKinds gives the answers of servers that are not at hand.
func TestAnswersBecomeKinds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		code   string
		want   ingest.Kind
	}{
		"AWS throttles":        {503, "SlowDown", ingest.Unavailable},
		"a proxy's page":       {502, "", ingest.Unavailable},
		"an internal error":    {500, "InternalError", ingest.Unavailable},
		"wrong keys":           {403, "SignatureDoesNotMatch", ingest.Internal},
		"no access":            {403, "AccessDenied", ingest.Internal},
		"no bucket":            {404, "NoSuchBucket", ingest.Internal},
		"a full versitygw":     {507, "InsufficientStorage", ingest.Exhausted},
		"a full MinIO":         {507, "XMinioStorageFull", ingest.Exhausted},
		"a quota":              {403, "QuotaExceeded", ingest.Exhausted},
		"a precondition":       {412, "PreconditionFailed", ingest.Conflict},
		"a race":               {409, "ConditionalRequestConflict", ingest.Conflict},
		"a request not served": {400, "InvalidRequest", ingest.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(test.status)
				if test.code != "" {
					_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>m</Message></Error>", test.code)
				}
			}))
			t.Cleanup(web.Close)
			b := open(t, config(devtest.S3Server{Endpoint: web.URL, Bucket: "b", AccessKey: "key", SecretKey: "secret-value"}))
			w := create(t, b, "drops/t/x")
			if _, err := w.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			_, err := w.Commit(t.Context(), nil)
			if ingest.KindOf(err) != test.want {
				t.Errorf("got %v: %v", ingest.KindOf(err), err)
			}
			_, again := w.Commit(t.Context(), nil)
			if !errors.Is(again, err) {
				t.Errorf("then %v", again)
			}
		})
	}
}

// TestServerWithoutAListOfUploads cannot be swept of unfinished ones; that is no trouble to report twice a minute.
func TestServerWithoutAListOfUploads(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"NotImplemented": true, "AccessDenied": false} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotImplemented)
			_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>m</Message></Error>", code)
		}))
		t.Cleanup(web.Close)
		b := open(t, config(devtest.S3Server{Endpoint: web.URL, Bucket: "b", AccessKey: "key", SecretKey: "secret-value"}))
		if err := b.AbortStale(t.Context(), time.Now()); (err == nil) != want {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// TestCorruptionIsNoticed flips a bit on the way, both ways.
func TestCorruptionIsNoticed(t *testing.T) {
	t.Parallel()
	server := devtest.S3(t)
	target := server.Endpoint
	flip := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(body) > 100 {
			body[50] ^= 1
		}
		out, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			return
		}
		out.Header, out.Host = r.Header.Clone(), r.Host
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		answer, _ := io.ReadAll(resp.Body)
		if len(answer) == 5000 {
			answer[50] ^= 1
		}
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = w.Write(answer)
	}))
	t.Cleanup(flip.Close)
	straight := open(t, config(server))
	server.Endpoint = flip.URL
	crooked := open(t, config(server))
	w := create(t, crooked, "drops/t/put")
	if _, err := w.Write(noise(1, 5000)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), nil); err == nil {
		t.Error("a damaged object was stored")
	}
	w = create(t, crooked, "drops/t/parts")
	_, err := w.Write(noise(1, 9<<20))
	if err == nil {
		_, err = w.Commit(t.Context(), nil)
	}
	if err == nil {
		t.Error("a damaged part was stored")
	}
	if err := w.Abort(t.Context()); err != nil {
		t.Error(err)
	}
	write(t, create(t, straight, "drops/t/get"), noise(1, 5000), nil)
	r, _, err := crooked.Open(t.Context(), "drops/t/get", 0, -1, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err == nil {
		t.Error("a damaged object was read")
	}
	_ = r.Close()
}
