// Package mssql reads a client's SQL Server database as CSV files. One half of it connects: it reads connection strings, says
// where they may point, signs in, and turns what goes wrong into words. The other half finds the relations and reads them.
//
// Everything that comes from outside is taken for hostile here: the connection string, the names it leads to, and the server
// that answers.
package mssql
