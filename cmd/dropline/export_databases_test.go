package main

import (
	"bytes"
	"errors"
	"io"

	"dropline/ingest/mssql"
	"dropline/loader"
)

// CheckConnection is what the API asks of a connection string, on a server that allows the given networks.
func CheckConnection(text, allow string) (name, database, key string, err error) {
	policy, err := mssql.ParsePolicy(allow)
	if err != nil {
		return "", "", "", err
	}
	s := &server{databases: loader.Databases{Connections: mssql.Config{Policy: policy}}}
	name, database, err = s.checkConnection(text)
	var named interface{ ConnectionKey() string }
	if errors.As(err, &named) {
		key = named.ConnectionKey()
	}
	return name, database, key, err
}

// ConnectionFile reads a connection string as commands do, and returns what they warn of.
func ConnectionFile(path string, stdin io.Reader) (text, warned string, err error) {
	var stderr bytes.Buffer
	a := &app{stdin: stdin, stderr: &stderr}
	text, err = a.connectionFile(path)
	return text, stderr.String(), err
}

// ExitStatus is the exit status of a command that ended in err.
func ExitStatus(err error) int { return asFailure(err).status }
