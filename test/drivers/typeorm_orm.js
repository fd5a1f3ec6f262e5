// TypeORM.
const { Between, DataSource, EntitySchema, ILike, In, MoreThanOrEqual } = require('typeorm');
const { play } = require('./harness');

const key = { type: 'uuid', primary: true, generated: 'uuid' };
const text = { type: 'text', nullable: true };
const Contact = new EntitySchema({
    name: 'Contact', schema: 'xero', tableName: 'contacts',
    columns: { contact_id: key, name: text, first_name: text, email_address: text },
});
const Invoice = new EntitySchema({
    name: 'Invoice', schema: 'xero', tableName: 'invoices',
    columns: {
        invoice_id: key, type: text, status: text, reference: text,
        date: { type: 'date' }, total: { type: 'numeric' },
    },
    relations: {
        contact: { type: 'many-to-one', target: 'Contact', joinColumn: { name: 'contact_id' } },
    },
});
const named = names => names.map(name => ({ name }));
const thisYear = { date: MoreThanOrEqual('2026-01-01') };
const lastFirst = { date: 'DESC' };

play(async ask => {
    const db = await new DataSource({
        type: 'postgres', host: process.env.PGHOST, port: process.env.PGPORT, username: process.env.PGUSER,
        database: process.env.PGDATABASE, entities: [Contact, Invoice], installExtensions: false,
    }).initialize();
    const contacts = db.getRepository(Contact), invoices = db.getRepository(Invoice);
    const find = async (repository, options) => (await repository.find(options)).length;

    const found = await contacts.find({ order: { name: 'ASC' }, take: 30 });
    const keys = found.map(contact => contact.contact_id);
    await ask('order by a text, take', () => keys.length);
    await ask('findOneBy', async () => Number(await contacts.findOneBy({ contact_id: keys[0] }) !== null));
    await ask('In', () => find(contacts, { where: { contact_id: In(keys) } }));
    await ask('Between', () => find(invoices, { where: { date: Between('2026-04-01', '2026-04-30'), status: 'PAID' } }));
    await ask('Date', () => find(invoices, { where: { date: MoreThanOrEqual(new Date('2026-06-01T00:00:00Z')) } }));
    await ask('ILike', () => find(contacts, { where: { name: ILike('%pty%') } }));
    await ask('order by a date, take', () => find(invoices, { order: lastFirst, take: 50, skip: 100 }));
    await ask('findAndCount', async () =>
        (await invoices.findAndCount({ where: thisYear, order: lastFirst, take: 20 }))[1]);
    await ask('countBy', () => invoices.countBy(thisYear));
    await ask('existsBy', async () => Number(await invoices.existsBy(thisYear)));
    await ask('sum', async () => Number(await invoices.sum('total', thisYear) > 0));
    await ask('relations', () => find(invoices, { where: thisYear, relations: { contact: true } }));
    await ask('relations, take', () =>
        find(invoices, { where: thisYear, relations: { contact: true }, order: lastFirst, take: 20 }));
    await ask('where a relation', () => find(invoices, { where: { contact: { contact_id: keys[0] } } }));
    await ask('query builder', async () => (await invoices.createQueryBuilder('i')
        .select("date_trunc('month', i.date)", 'month').addSelect('SUM(i.total)', 'sum')
        .where('i.date >= :from', { from: '2026-01-01' }).groupBy('1').getRawMany()).length);

    await ask('save new ones', async () => (await contacts.save(named(['Ann', 'Bob', 'Cid']))).length);
    await ask('insert', async () => (await contacts.insert(named(['Dan', 'Eve', 'Fay']))).identifiers.length);
    await ask('save', async () => (await contacts.save([Object.assign(found[3], { first_name: 'A.' })])).length);
    await ask('update by key', async () => (await contacts.update(keys[3], { first_name: 'B.' })).affected);
    await ask('update', async () =>
        (await contacts.update({ contact_id: In(keys.slice(5, 9)) }, { first_name: 'C.' })).affected);
    await ask('delete', async () => (await contacts.delete(keys[10])).affected);
    await db.destroy();
});
