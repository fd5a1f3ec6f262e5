// JDBC, and what Metabase and DBeaver ask through it.
import java.math.BigDecimal;
import java.sql.*;
import java.time.*;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import java.util.UUID;

class Jdbc {
    interface Asking {
        Object rows() throws Exception;
    }

    static final Scanner harness = new Scanner(System.in);
    static Connection db;

    static void ask(String name, Asking asking) {
        Object rows;
        try {
            rows = asking.rows();
        } catch (Exception e) {
            rows = e.getMessage().replaceAll("\\s+", " ");
        }
        System.out.println(name + "\t" + rows);
        harness.nextLine();
    }

    static int count(ResultSet rows) throws SQLException {
        int n = 0;
        while (rows.next())
            n++;
        return n;
    }

    static int select(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = db.prepareStatement(sql)) {
            return count(bind(statement, values).executeQuery());
        }
    }

    static PreparedStatement bind(PreparedStatement statement, Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++)
            statement.setObject(i + 1, values[i]);
        return statement;
    }

    // As a server-prepared statement (from the fifth time), and with a generic plan (from the tenth).
    static int twelveTimes(String sql, Object... values) throws SQLException {
        int n = 0;
        try (PreparedStatement statement = db.prepareStatement(sql)) {
            for (int i = 0; i < 12; i++)
                n += count(bind(statement, values).executeQuery());
        }
        return n;
    }

    static int upTo(int rows, int fetchSize, int maxRows, String sql) throws SQLException {
        try (Statement statement = db.createStatement()) {
            statement.setFetchSize(fetchSize);
            statement.setMaxRows(maxRows);
            ResultSet result = statement.executeQuery(sql);
            int n = 0;
            while (n < rows && result.next())
                n++;
            return n;
        }
    }

    // A result is fetched in parts only within a transaction.
    static int inTransaction(Asking asking) throws Exception {
        db.setAutoCommit(false);
        try {
            return (int) asking.rows();
        } finally {
            db.rollback();
            db.setAutoCommit(true);
        }
    }

    static List<UUID> keys(String sql) throws SQLException {
        List<UUID> keys = new ArrayList<>();
        ResultSet rows = db.createStatement().executeQuery(sql);
        while (rows.next())
            keys.add(rows.getObject(1, UUID.class));
        return keys;
    }

    static int addBatch(int n, String name) throws SQLException {
        try (PreparedStatement statement = db.prepareStatement("INSERT INTO contacts (name) VALUES (?)")) {
            for (int i = 0; i < n; i++) {
                statement.setString(1, name + i);
                statement.addBatch();
            }
            return statement.executeBatch().length;
        }
    }

    static void connect(String options) throws SQLException {
        db = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/postgres"
            + "?currentSchema=xero" + options, System.getenv("PGUSER"), System.getenv("PGPASSWORD"));
    }

    public static void main(String[] arguments) throws Exception {
        connect("");
        DatabaseMetaData meta = db.getMetaData();
        ask("getTables", () -> count(meta.getTables(null, "xero", "%", new String[] {"FOREIGN TABLE"})));
        ask("getColumns", () -> count(meta.getColumns(null, "xero", "invoices", "%")));
        ask("getMetaData of a statement", () ->
            db.prepareStatement("SELECT * FROM contacts WHERE name = ?").getMetaData().getColumnCount());

        ask("all rows", () -> upTo(9999, 0, 0, "SELECT * FROM invoices"));
        ask("all rows, setFetchSize", () -> inTransaction(() -> upTo(9999, 100, 0, "SELECT * FROM invoices")));
        ask("some rows, setFetchSize", () -> inTransaction(() -> upTo(150, 100, 0, "SELECT * FROM invoices")));
        ask("setMaxRows", () -> upTo(9999, 0, 200, "SELECT * FROM invoices"));
        ask("setMaxRows, sorted", () -> upTo(9999, 0, 200, "SELECT * FROM invoices ORDER BY date"));

        List<UUID> ids = keys("SELECT invoice_id FROM invoices ORDER BY date LIMIT 30");
        ask("keys", () -> ids.size());
        ask("UUID", () -> twelveTimes("SELECT * FROM invoices WHERE invoice_id = ?", ids.get(0)));
        ask("UUID as a String", () ->
            select("SELECT * FROM invoices WHERE invoice_id = CAST(? AS uuid)", ids.get(0).toString()));
        ask("IN (?, ...)", () ->
            select("SELECT * FROM invoices WHERE invoice_id IN (?" + ", ?".repeat(29) + ")", ids.toArray()));
        ask("= ANY (?)", () ->
            twelveTimes("SELECT * FROM invoices WHERE invoice_id = ANY (?)", db.createArrayOf("uuid", ids.toArray())));
        ask("NULL", () -> twelveTimes("SELECT * FROM invoices WHERE invoice_id = ?", (Object) null));
        String from = "SELECT total FROM invoices WHERE date >= ?", over = "SELECT total FROM invoices WHERE total > ?";
        ask("LocalDate", () -> twelveTimes(from, LocalDate.parse("2026-06-01")));
        ask("java.sql.Date", () -> twelveTimes(from, Date.valueOf("2026-06-01")));
        ask("Timestamp", () -> twelveTimes(from, Timestamp.valueOf("2026-06-01 00:00:00")));
        ask("LocalDateTime", () -> twelveTimes(from, LocalDateTime.parse("2026-06-01T00:00:00")));
        ask("OffsetDateTime", () -> twelveTimes(from, OffsetDateTime.parse("2026-06-01T00:00:00Z")));
        ask("BigDecimal", () -> twelveTimes(over, new BigDecimal("19000.00")));
        ask("double", () -> twelveTimes(over, 19000.0));
        ask("int", () -> twelveTimes(over, 19000));
        ask("String", () ->
            twelveTimes("SELECT total FROM invoices WHERE type = ? AND status = ?", "ACCPAY", "DRAFT"));
        ask("boolean", () -> select("SELECT name FROM contacts WHERE is_supplier = ?", true));
        ask("count(*)", () ->
            twelveTimes("SELECT count(*) FROM invoices WHERE date >= ?", LocalDate.parse("2026-01-01")));
        ask("LIMIT ? OFFSET ?", () ->
            twelveTimes("SELECT * FROM invoices ORDER BY date DESC LIMIT ? OFFSET ?", 50, 100));

        ask("insert with generated keys", () -> {
            PreparedStatement statement = db.prepareStatement("INSERT INTO contacts (name) VALUES ('Ann')",
                Statement.RETURN_GENERATED_KEYS);
            statement.executeUpdate();
            return count(statement.getGeneratedKeys());
        });
        ask("addBatch", () -> addBatch(5, "Bob "));
        UUID ann = keys("SELECT contact_id FROM contacts WHERE name = 'Ann'").get(0);
        ask("a key", () -> 1);
        ask("executeUpdate", () -> bind(db.prepareStatement("UPDATE contacts SET first_name = ? WHERE contact_id = ?"),
            "A.", ann).executeUpdate());

        ask("DBeaver: a table", () -> upTo(9999, 200, 200, "SELECT x.* FROM xero.invoices x"));
        ask("DBeaver: with a filter", () ->
            upTo(9999, 200, 200, "SELECT x.* FROM xero.invoices x WHERE x.status='PAID'"));
        metabase();

        db.close();
        connect("&reWriteBatchedInserts=true");
        ask("addBatch, reWriteBatchedInserts", () -> addBatch(60, "Cid "));
    }

    static void metabase() {
        ask("Metabase: whether a table may be read", () -> select("""
            SELECT TRUE AS "_" FROM "xero"."invoices" WHERE 1 <> 1 LIMIT 0"""));
        ask("Metabase: fingerprint", () -> inTransaction(() -> upTo(9999, 500, 10000, """
            SELECT "xero"."contacts"."name" AS "name",
                SUBSTRING("xero"."contacts"."email_address", 1, 1234) AS "substring1",
                "xero"."contacts"."updated_date_utc" AS "updated_date_utc"
            FROM "xero"."contacts" LIMIT 10000""")));
        ask("Metabase: values of a field", () -> select("""
            SELECT "xero"."invoices"."status" AS "status" FROM "xero"."invoices"
            GROUP BY "xero"."invoices"."status" ORDER BY "xero"."invoices"."status" ASC LIMIT 1000"""));
        ask("Metabase: a table", () -> inTransaction(() -> upTo(9999, 500, 2000, """
            SELECT "xero"."invoices"."invoice_id" AS "invoice_id", "xero"."invoices"."total" AS "total"
            FROM "xero"."invoices" LIMIT 2000""")));
        ask("Metabase: a month", () -> select("""
            SELECT COUNT(*) AS "count" FROM "xero"."invoices"
            WHERE ("xero"."invoices"."date" >= CAST(DATE_TRUNC('month', (NOW() + INTERVAL '500 month')) AS date))
                AND ("xero"."invoices"."date" < CAST(DATE_TRUNC('month', (NOW() + INTERVAL '501 month')) AS date))
            """));
        ask("Metabase: by month", () -> select("""
            SELECT CAST(DATE_TRUNC('month', "xero"."invoices"."date") AS date) AS "date",
                SUM("xero"."invoices"."total") AS "sum" FROM "xero"."invoices"
            WHERE ("xero"."invoices"."date" >= CAST(? AS date)) AND ("xero"."invoices"."type" = ?)
            GROUP BY CAST(DATE_TRUNC('month', "xero"."invoices"."date") AS date)
            ORDER BY CAST(DATE_TRUNC('month', "xero"."invoices"."date") AS date) ASC""", "2026-01-01", "ACCREC"));
        ask("Metabase: joined", () -> select("""
            SELECT "Contacts"."name" AS "Contacts__name", SUM("xero"."invoices"."total") AS "sum"
            FROM "xero"."invoices" LEFT JOIN "xero"."contacts" AS "Contacts"
                ON "xero"."invoices"."contact_id" = "Contacts"."contact_id"
            GROUP BY "Contacts"."name" ORDER BY "sum" DESC, "Contacts"."name" ASC LIMIT 100"""));
        ask("Metabase: contains", () -> select("""
            SELECT COUNT(*) FROM "xero"."contacts"
            WHERE (LOWER("xero"."contacts"."name") LIKE ?)""", "%pty%"));
    }
}
