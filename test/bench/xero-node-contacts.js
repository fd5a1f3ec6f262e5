// Create contacts with xero-node, so many a call.
//
// usage: node xero-node-contacts.js URL TOKEN TENANT PREFIX COUNT BATCH, with
// xero-node in NODE_PATH
//
// Prints: records that Xero stored, seconds, CPU seconds, peak RSS in kB.  The
// clock starts when the library is loaded; CPU and RSS are the process's.
'use strict';
const http = require('http');
const {XeroClient} = require('xero-node');

const [url, token, tenant, prefix, count, batch] = process.argv.slice(2);

// The default since node 19; node 18 would connect anew for every call.
http.globalAgent = new http.Agent({keepAlive: true});

async function main() {
    const client = new XeroClient();
    client.accountingApi.basePath = `${url}/api.xro/2.0`;
    client.setTokenSet({access_token: token, token_type: 'Bearer'});

    const contacts = Array.from({length: Number(count)}, (_, n) => (
        {name: `${prefix} ${n + 1}`, emailAddress: `c${n + 1}@example.com`, accountNumber: `${prefix}-${n + 1}`}));
    let stored = 0;
    const start = process.hrtime.bigint();
    for (let n = 0; n < contacts.length; n += Number(batch)) {
        const {body} = await client.accountingApi.createContacts(
            tenant, {contacts: contacts.slice(n, n + Number(batch))}, false, `${prefix}-key-${n}`);
        stored += body.contacts.filter((contact) => !contact.hasValidationErrors).length;
    }
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;

    const usage = process.resourceUsage();
    const cpu = (usage.userCPUTime + usage.systemCPUTime) / 1e6;
    console.log(stored, seconds, cpu, usage.maxRSS);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
