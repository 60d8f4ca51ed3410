package ingest_test

import (
	"strings"
	"testing"

	"dropline/ingest"
)

func TestCleanPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                             "/",
		".":                            "/",
		"/":                            "/",
		"..":                           "/",
		"../../etc/passwd":             "/inbox/etc/passwd",
		"/inbox":                       "/inbox",
		"inbox/":                       "/inbox",
		"/inbox/../../x.csv":           "/inbox/x.csv",
		"/inbox/../archive/x":          "/archive/x",
		"Matters.csv":                  "/inbox/Matters.csv",
		"/Matters.csv":                 "/inbox/Matters.csv",
		"/daily/Matters.csv":           "/inbox/daily/Matters.csv",
		"/inbox/daily//./Matters.csv":  "/inbox/daily/Matters.csv",
		"/inboxes/x":                   "/inbox/inboxes/x",
		"/reports/r.csv":               "/reports/r.csv",
		"/Forderungsaufstellung ä.csv": "/inbox/Forderungsaufstellung ä.csv",
	} {
		got, err := ingest.CleanPath(in)
		if err != nil || got != want {
			t.Errorf("CleanPath(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"/inbox/a\x00b", "/inbox/a\nb", "/inbox/a\x7f", "/inbox/a\u009b31m", "/inbox/\xff", "/inbox/" + strings.Repeat("x", 256),
		"/inbox" + strings.Repeat("/xxxxxxxx", 200),
	} {
		if got, err := ingest.CleanPath(in); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("CleanPath(%q) = %q, %v; want a refusal", in, got, err)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, seed := range []string{"/inbox/../..", "a/b", "..", "//", "/archive/./x/.."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ingest.CleanPath(in)
		if err != nil {
			return
		}
		if again, err := ingest.CleanPath(got); err != nil && len(got) <= ingest.MaxPathBytes || err == nil && again != got {
			t.Errorf("CleanPath(%q) = %q, but cleaned again it is %q, %v", in, got, again, err)
		}
		if !strings.HasPrefix(got, "/") || strings.Contains(got, "/../") || strings.HasSuffix(got, "/..") {
			t.Errorf("CleanPath(%q) = %q leads outside", in, got)
		}
	})
}

func TestTemporaryName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"/inbox/Matters.csv.filepart": true, "/inbox/Matters.csv.part": true, "/inbox/x.TMP": true,
		"/inbox/.in.Matters.csv.": true, "/inbox/.Matters.csv": true, "/inbox/.hidden/Matters.csv": false,
		"/inbox/Matters.csv": false, "/inbox/parts.csv": false, "/inbox/tmp": false, "/inbox/x.tmp.csv": false,
	} {
		if got := ingest.TemporaryName(name); got != want {
			t.Errorf("TemporaryName(%q) = %v", name, got)
		}
	}
}
