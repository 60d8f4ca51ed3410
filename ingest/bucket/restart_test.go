package bucket_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dropline/internal/devstack/devtest"
)

// TestServerRestartsUnnoticed kills the server again and again in the middle of uploads and reads: its supervisor brings
// it back, and the retries bridge the gap.
func TestServerRestartsUnnoticed(t *testing.T) {
	t.Parallel()
	stack := devtest.Stack(t)
	b := open(t, config(devtest.S3Server(stack.S3())))
	body := noise(5, 60<<20)
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2500 * time.Millisecond): // after a while of health it comes back at once
				if pid := stack.S3PID(); pid != 0 {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
	})
	for i := range 2 {
		key := fmt.Sprintf("drops/t/%d", i)
		w := create(t, b, key)
		for rest := body; len(rest) > 0; rest = rest[min(len(rest), 4<<20):] {
			if _, err := w.Write(rest[:min(len(rest), 4<<20)]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Millisecond)
		}
		if _, err := w.Commit(t.Context(), map[string]string{"a": "b"}); err != nil {
			t.Fatal(err)
		}
		r, o, err := b.Open(t.Context(), key, 0, -1, "")
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if _, err := io.Copy(&got, &slowly{r}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), body) || o.Metadata["a"] != "b" {
			t.Errorf("read %d bytes, %v", got.Len(), o.Metadata)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	killer.Wait()
}

// TestCompletionIsCutShort kills the server while it joins the parts of an upload.
func TestCompletionIsCutShort(t *testing.T) {
	t.Parallel()
	stack := devtest.Stack(t)
	b := open(t, config(devtest.S3Server(stack.S3())))
	body := noise(6, 120<<20)
	for round := range 3 {
		w := create(t, b, "drops/t/x")
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(40+50*round)*time.Millisecond, func() {
			if pid := stack.S3PID(); pid != 0 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
		o, err := w.Commit(t.Context(), map[string]string{"round": fmt.Sprint(round)})
		kill.Stop()
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got, stored := read(t, b, "drops/t/x", 0, -1)
		if o.Size != int64(len(body)) || !bytes.Equal(got, body) || stored.Metadata["round"] != fmt.Sprint(round) {
			t.Errorf("round %d: %d bytes, %v", round, len(got), stored.Metadata)
		}
		time.Sleep(2500 * time.Millisecond) // so that the next death is again the first one
	}
}

// TestCompletionThatWasLost lets the server join the parts and puts the refusal of a second try in place of its answer.
func TestCompletionThatWasLost(t *testing.T) {
	t.Parallel()
	server := devtest.S3(t)
	target, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	straight := open(t, config(server))
	for code, status := range map[string]int{"InvalidPart": http.StatusBadRequest, "NoSuchUpload": http.StatusNotFound} {
		for _, overtaken := range []bool{false, true} {
			key := fmt.Sprintf("drops/t/%s %v", code, overtaken)
			forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.Host = r.In.Host
			}, ModifyResponse: func(r *http.Response) error {
				if r.Request.Method != http.MethodPost || !r.Request.URL.Query().Has("uploadId") {
					return nil
				}
				if overtaken {
					write(t, create(t, straight, key), []byte("another"), nil)
				}
				body := "<Error><Code>" + code + "</Code><Message>m</Message></Error>"
				r.StatusCode, r.Body, r.ContentLength = status, io.NopCloser(strings.NewReader(body)), int64(len(body))
				r.Header.Set("Content-Length", strconv.Itoa(len(body)))
				return nil
			}}
			web := httptest.NewServer(forward)
			t.Cleanup(web.Close)
			behind := server
			behind.Endpoint = web.URL
			w := create(t, open(t, config(behind)), key)
			if _, err := w.Write(noise(7, 9<<20)); err != nil {
				t.Fatal(err)
			}
			o, err := w.Commit(t.Context(), nil)
			if overtaken && err == nil || !overtaken && (err != nil || o.Size != 9<<20) {
				t.Errorf("%s: %d bytes, %v", key, o.Size, err)
			}
		}
	}
}

// slowly reads so that a kill falls into it.
type slowly struct{ io.Reader }

func (s *slowly) Read(p []byte) (int, error) {
	time.Sleep(5 * time.Millisecond)
	return s.Reader.Read(p[:min(len(p), 128<<10)])
}
