// node-postgres.  Grafana's texts have no parameters, and go the same way from here as from there.
const pg = require('pg');
const Cursor = require('pg-cursor');
const { play } = require('./harness');

const db = new pg.Client({ options: '-c search_path=xero' });
const select = async (text, values) => (await db.query(text, values)).rows.length;

// Prepared once, and later with a generic plan.
const twelveTimes = async (text, values) => {
    let n = 0;
    for (let i = 0; i < 12; i++)
        n += (await db.query({ name: text, text, values })).rows.length;
    return n;
};

const june = new Date('2026-06-01T00:00:00Z');
// What Grafana's macros become.
const timeFilter = "date BETWEEN '2026-04-01T00:00:00Z' AND '2026-04-30T23:59:59.999Z'";
const timeGroup = 'floor(extract(epoch from date)/86400)*86400';
const unixEpochFilter = 'extract(epoch from date) >= 1775001600 AND extract(epoch from date) <= 1777593599';

play(async ask => {
    await db.connect();
    const { rows } = await db.query('SELECT invoice_id, contact_id FROM invoices ORDER BY date LIMIT 30');
    const keys = rows.map(row => row.invoice_id);
    await ask('keys', () => keys.length);
    await ask('no parameters', () => select("SELECT * FROM invoices WHERE date >= '2026-06-01'"));
    await ask('string', () => twelveTimes('SELECT * FROM invoices WHERE invoice_id = $1', [keys[0]]));
    await ask('array', () => select('SELECT * FROM invoices WHERE invoice_id = ANY ($1)', [keys]));
    await ask('Date', () => twelveTimes('SELECT total FROM invoices WHERE date >= $1', [june]));
    await ask('number', () => twelveTimes('SELECT total FROM invoices WHERE total > $1', [19000]));
    await ask('null', () => select('SELECT * FROM invoices WHERE invoice_id = $1', [null]));
    await ask('LIMIT $1 OFFSET $2', () => twelveTimes('SELECT * FROM invoices LIMIT $1 OFFSET $2', [50, 1000]));
    await ask('pg-cursor', async () => {
        const cursor = db.query(new Cursor('SELECT * FROM invoices WHERE total > $1', [0]));
        const first = await cursor.read(100);
        const next = await cursor.read(100);
        await cursor.close();
        return first.length + next.length;
    });

    await ask('Grafana: columns', () => select(`SELECT quote_ident(column_name) AS "column", data_type AS "type"
        FROM information_schema.columns WHERE quote_ident(table_name) = 'invoices'`));
    await ask('Grafana: a table', () => select('SELECT invoice_number, total FROM xero.invoices LIMIT 50 '));
    await ask('Grafana: $__timeFilter', () => select(`SELECT date AS "time", sum(total)
        FROM xero.invoices WHERE ${timeFilter} GROUP BY 1 ORDER BY 1`));
    await ask('Grafana: $__timeGroup', () => select(`SELECT ${timeGroup} AS "time", count(*) AS value
        FROM xero.invoices WHERE ${timeFilter} GROUP BY 1 ORDER BY 1`));
    await ask('Grafana: $__unixEpochFilter', () => select(`SELECT total
        FROM xero.invoices WHERE ${unixEpochFilter}`));
    await ask('Grafana: an instant', () => select(`SELECT name
        FROM xero.contacts WHERE updated_date_utc BETWEEN '2126-04-01T00:00:00Z' AND '2126-04-30T23:59:59Z'`));
    await ask('Grafana: a variable', () => select(`SELECT DISTINCT currency_code
        FROM xero.invoices WHERE status IN ('AUTHORISED','PAID')`));

    await ask('insert', () => select('INSERT INTO contacts (name) VALUES ($1), ($2), ($3) RETURNING contact_id',
        ['Ann', 'Bob', 'Cid']));
    await ask('update', async () => (await db.query('UPDATE contacts SET first_name = $1 WHERE contact_id = $2',
        ['A.', rows[0].contact_id])).rowCount);
    await db.end();
});
