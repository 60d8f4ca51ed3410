package mssql_test

import (
	"os"
	"testing"

	"dropline/internal/dbchild"
)

// TestMain lets the test binary be the process in which a database is read.
func TestMain(m *testing.M) {
	if dbchild.RunChild() {
		return
	}
	os.Exit(m.Run())
}
