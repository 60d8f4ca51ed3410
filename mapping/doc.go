// Package mapping owns the way from the bytes of a delivered file to typed rows and rejects: which table the file belongs
// to, its encoding and CSV dialect, which header feeds which column, and the conversion and checking of every value. It is
// pure: it reads nothing but the reader handed in, and knows no database. What it lets through, PostgreSQL accepts.
package mapping
