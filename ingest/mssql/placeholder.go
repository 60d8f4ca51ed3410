// Package mssql reads clients' SQL Server databases.
package mssql

// Connection stands in for the connecting half's.
type Connection struct{}
