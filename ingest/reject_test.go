package ingest_test

import (
	"testing"

	"dropline/ingest"
)

func TestCutText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc"},
		{"日本語", 8, "日本"},
		{"日本語", 6, "日本"},
		{"日本語", 2, ""},
		{"a😀", 4, "a"},
	} {
		if got := ingest.CutText(c.text, c.most); got != c.want {
			t.Errorf("%q cut to %d is %q, want %q", c.text, c.most, got, c.want)
		}
	}
}
