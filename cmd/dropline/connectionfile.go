package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxConnectionFile is far over what the API takes.
const maxConnectionFile = 64 << 10

// connectionHelp is said wherever a connection string is given.
const connectionHelp = `The connection string (ADO.NET, ODBC, JDBC or a URL) is read from a file, or from standard input with -. There is no flag that
takes it: the command line of a process can be read by every user of a machine, and stays in the shell's history.`

// connectionFile reads a connection string from a file, or from standard input where it is named "-". The last line end is cut.
// It is UTF-8, or what PowerShell writes: UTF-16 with a byte order mark.
func (a *app) connectionFile(path string) (string, error) {
	raw, err := a.secretFile(path)
	if err != nil {
		return "", err
	}
	raw = bytes.TrimPrefix(fromUTF16(raw), []byte("\ufeff")) // as editors on Windows write
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "", usageError("save it as UTF-8", "%s is no text in UTF-8", nameOfFile(path))
	case strings.TrimSpace(text) == "":
		return "", usageError("put the connection string there", "%s is empty", nameOfFile(path))
	}
	return text, nil
}

// fromUTF16 makes UTF-8 of little-endian UTF-16 that begins with a byte order mark. All else is left as it is, as is UTF-16 with
// half a character in it.
func fromUTF16(raw []byte) []byte {
	if !bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || len(raw)%2 != 0 {
		return raw
	}
	units := make([]uint16, 0, len(raw)/2)
	for i := 2; i < len(raw); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(raw[i:]))
	}
	text := utf16.Decode(units)
	if slices.Contains(text, unicode.ReplacementChar) {
		return raw
	}
	return []byte(string(text))
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
	if remedy := exposed(path, info); remedy != "" {
		a.warn("others than its owner may read %s: %s", path, remedy)
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
