package mapping_test

import (
	"strconv"
	"strings"
	"testing"

	"dropline/mapping"
)

// TestAQueryOnlyReads: T-SQL needs nothing between two statements.
func TestAQueryOnlyReads(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	parse := func(query string) error {
		_, err := mapping.Parse("m.yaml", []byte("version: 1\ndatabase:\n- {name: q, table: Order, query: "+strconv.Quote(query)+"}"), s)
		return err
	}
	for query, word := range map[string]string{
		"SELECT 1 AS a DELETE FROM dbo.Matter":                 "DELETE",
		"select * from t\nupdate t set a = 1":                  "UPDATE",
		"SELECT * INTO copy FROM t":                            "INTO",
		"WITH x AS (SELECT 1 AS a) INSERT t SELECT a FROM x":   "INSERT",
		"WITH x AS (SELECT 1 AS a) MERGE t USING x ON 1=1":     "MERGE",
		"SELECT 1 exec xp_cmdshell 'dir'":                      "EXEC",
		"SELECT 1/**/Waitfor/**/DELAY '10:00'":                 "WAITFOR",
		"SELECT 1 COMMIT":                                      "COMMIT",
		"SELECT 1 WHILE 1=1 SELECT 2":                          "WHILE",
		"SELECT 1 SET TEXTSIZE 1":                              "SET",
		"SELECT 1 USE master":                                  "USE",
		"SELECT 1\u00a0DROP\u00a0TABLE t":                      "DROP",
		"SELECT[a]TRUNCATE TABLE t":                            "TRUNCATE",
		"SELECT 'a'DECLARE @x int":                             "DECLARE",
		"SELECT 1 FROM t IF 1=1 SHUTDOWN":                      "IF",
		"SELECT 1 FROM t -- \nKILL 5":                          "KILL",
		"SELECT \"a\"GRANT CONTROL TO public":                  "GRANT",
		"WITH x AS (SELECT 1 AS a) SELECT a FROM x BEGIN TRAN": "BEGIN",
	} {
		if err := parse(query); err == nil || !strings.Contains(err.Error(), "may only read, and has the word "+word+":") {
			t.Errorf("%s: %v", query, err)
		}
	}
	for _, query := range []string{
		"SELECT [delete], \"Update\", 'into', @set AS deleted, t.updated /* drop */ FROM [set].[use] AS inserted -- exec",
		"SELECT a.x FROM a INNER MERGE JOIN b ON a.x = b.x OPTION (MERGE JOIN, USE HINT ('DISABLE_OPTIMIZED_NESTED_LOOP'))",
		"SELECT CASE WHEN a = 1 THEN IIF(b = 2, 1, 0) ELSE 0 END AS c, UpdatedOn, CreatedBy FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY",
		"WITH x AS (SELECT a, ROW_NUMBER() OVER (PARTITION BY b ORDER BY c) AS n FROM t) SELECT a FROM x WHERE n = 1 GROUP BY GROUPING SETS ((a), ())",
		"SELECT CAST(a AS date) AT TIME ZONE 'UTC' AS Ende, $x, #y FROM OPENJSON(@z) WITH (a int)",
	} {
		if err := parse(query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}
