// Read all invoices as xero-node's typed objects, page by page.
//
// usage: node xero-node.js URL TOKEN TENANT QUERY, with xero-node in NODE_PATH
//
// QUERY is that of any page; the same parameters are sent for all.
//
// Prints: rows, seconds, CPU seconds, peak RSS in kB.  The clock starts when
// the library is loaded; CPU and RSS are the process's.
'use strict';
const http = require('http');
const {XeroClient} = require('xero-node');

const [url, token, tenant, query] = process.argv.slice(2);
const wanted = new URLSearchParams(query);
const known = ['order', 'page', 'includeArchived', 'unitdp', 'pageSize'];

// The default since node 19; node 18 would connect anew for every page.
http.globalAgent = new http.Agent({keepAlive: true});

async function main() {
    const unknown = [...wanted.keys()].filter((name) => !known.includes(name));
    if (unknown.length > 0)
        throw new Error(`no place for the parameters ${unknown}`);
    const text = (name) => wanted.get(name) ?? undefined;
    const number = (name) => wanted.has(name) ? Number(text(name)) : undefined;
    const boolean = (name) => wanted.has(name) ? text(name) === 'true' : undefined;

    const client = new XeroClient();
    client.accountingApi.basePath = `${url}/api.xro/2.0`;
    client.setTokenSet({access_token: token, token_type: 'Bearer'});

    let rows = 0;
    const start = process.hrtime.bigint();
    for (let page = 1, pages = 1; page <= pages; page++) {
        const {body} = await client.accountingApi.getInvoices(
            tenant, undefined, undefined, text('order'), undefined, undefined,
            undefined, undefined, page, boolean('includeArchived'), undefined,
            number('unitdp'), undefined, number('pageSize'));
        rows += body.invoices.length;
        pages = body.pagination.pageCount;
    }
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;

    const usage = process.resourceUsage();
    const cpu = (usage.userCPUTime + usage.systemCPUTime) / 1e6;
    console.log(rows, seconds, cpu, usage.maxRSS);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
