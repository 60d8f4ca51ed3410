package mssql

import (
	"database/sql/driver"
	"time"
)

// EncodeRow writes a row as a reader does, of columns of the types named.
func EncodeRow(types []string, values []driver.Value) string {
	columns := make([]column, len(types))
	for i, t := range types {
		columns[i].kind = valueKindOf(t)
	}
	e := newEncoder(columns)
	e.row(values)
	return string(e.buf)
}

// EncodeTime writes a time of a column of a type.
func EncodeTime(base string, t time.Time) string {
	return string(appendTime(nil, t, valueKindOf(base), ' '))
}

// The functions that make SQL of what comes from outside.
var (
	Bracketed    = bracketed
	TextLiteral  = textLiteral
	Shown        = shown
	SinceLiteral = sinceLiteral
	Below        = below
)

// KeySQL returns the forms in which an encoded key is handed back.
func KeySQL(encoded string) (placeholder string, value any, literal string, err error) {
	k, err := parseKey(encoded)
	if err != nil {
		return "", nil, "", err
	}
	placeholder, value = k.parameter()
	return placeholder, value, k.literal(), nil
}
