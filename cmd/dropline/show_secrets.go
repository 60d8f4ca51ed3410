package main

import "io"

// shownSecrets is what config shows of the key: its name, or why there is none. It is empty where no server can be.
type shownSecrets struct {
	KeyFile string `json:"keyFile,omitempty"`
	KeyID   string `json:"keyId,omitempty"`
	Problem string `json:"problem,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// write says it to people.
func (s shownSecrets) write(w io.Writer) {
	if s == (shownSecrets{}) {
		return
	}
	put(w, "\n")
	if s.KeyID != "" {
		put(w, "connection strings are sealed with %s%s\n", s.KeyID, ofFile(s.KeyFile))
		return
	}
	put(w, "no key for connection strings%s: %s\n", ofFile(s.KeyFile), s.Problem)
	if s.Hint != "" {
		put(w, "hint: %s\n", s.Hint)
	}
}

func ofFile(path string) string {
	if path == "" {
		return ""
	}
	return " (" + path + ")"
}
