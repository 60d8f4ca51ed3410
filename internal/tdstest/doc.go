// Package tdstest is a test server that speaks SQL Server's protocol, TDS 7.4 (and TDS 8), in the test's own process. It
// serves tables held in memory, or generated, through a small query engine, so that a real driver can be tried against
// every type, every mode of encryption, and faults that a real server shows seldom.
//
// What is covered, after MS-TDS: pre-login with TLS wrapped in pre-login packets (the login alone, or everything) and TLS
// before anything else; LOGIN7 with a user and a password; packet size negotiation; SQL batches; sp_executesql,
// sp_prepare, sp_prepexec, sp_execute, sp_unprepare and the main columns of sp_describe_first_result_set; transaction
// manager requests; attention at any time; connection reset; results of every type but the CLR's, as ROW and as NBCROW;
// DONE, ERROR, INFO, ENVCHANGE and ORDER tokens; and the SQL Browser.
//
// What is not: Windows and Azure AD sign-in (error 18452), MARS, bulk load, cursors, Always Encrypted, table-valued
// parameters, several procedures in one RPC. A column of a UTF-8 collation is sent as UTF-8 whether or not the client
// asked for that; a client that does not know of UTF-8 collations reads it wrongly.
//
// The engine reads: SELECT with TOP, DISTINCT, joins (inner, left, cross), derived tables, subqueries, WHERE, GROUP BY,
// HAVING, ORDER BY, OFFSET and UNION ALL; SET, USE, transactions, PRINT, WAITFOR DELAY, RAISERROR. It has sys.tables,
// columns, types, schemas, objects, views, indexes, index_columns, key_constraints, partitions, dm_db_partition_stats,
// databases and INFORMATION_SCHEMA, with their true columns as far as they say something here. A name that is not there
// is error 208, 207, 195 or 2812, a text that is not understood 102 or 156, and anything that would write 262.
//
// Where it differs from SQL Server: text is compared by its capitals, not by a collation's weights; the types of
// arithmetic are simpler; a statement's first error ends its batch; ROWCOUNT and SET options have no effect; readers
// never block, so the isolation levels below snapshot are one and the same. A snapshot transaction sees the rows as they
// were at its first access to a table. A table is given in the order of its primary key, and a range of the key's first
// column is found without a scan, as with a clustered index.
package tdstest
