package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// maxConnectionFile is far over what the API takes.
const maxConnectionFile = 64 << 10

// connectionHelp is said wherever a connection string is given.
const connectionHelp = `The connection string (ADO.NET, ODBC, JDBC or a URL) is read from a file, or from standard input with -. There is no flag that
takes it: the command line of a process can be read by every user of a machine, and stays in the shell's history.`

// connectionFile reads a connection string from a file, or from standard input where it is named "-". The last line end is cut.
func (a *app) connectionFile(path string) (string, error) {
	raw, err := a.secretFile(path)
	if err != nil {
		return "", err
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // as editors on Windows write
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "", usageError("save it as UTF-8", "%s is no text in UTF-8", nameOfFile(path))
	case strings.TrimSpace(text) == "":
		return "", usageError("put the connection string there", "%s is empty", nameOfFile(path))
	}
	return text, nil
}

// authorityFile reads certificates from a file; "" reads nothing.
func (a *app) authorityFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	raw, err := readBounded(path, maxConnectionFile)
	return string(raw), err
}

// secretFile reads a small file, and warns of one that others may read.
func (a *app) secretFile(path string) ([]byte, error) {
	if path == "-" {
		raw, err := io.ReadAll(io.LimitReader(a.stdin, maxConnectionFile+1))
		if err == nil && len(raw) > maxConnectionFile {
			err = usageError("is it the right file?", "standard input has more than %s", size(maxConnectionFile))
		}
		return raw, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0 {
		a.warn("others than its owner may read %s: chmod 600 it", path)
	}
	return readBounded(path, maxConnectionFile)
}

func nameOfFile(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// warn tells of what does not keep the command from doing its work.
func (a *app) warn(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if a.json {
		_ = json.NewEncoder(a.stderr).Encode(map[string]string{"warning": message}) // nobody is left to be told if this fails
		return
	}
	put(a.stderr, "dropline: warning: %s\n", message)
}
