// The side of the programs in JavaScript: see drivers.py.
const readline = require('readline');

exports.play = async statements => {
    const lines = readline.createInterface({ input: process.stdin });
    const answers = lines[Symbol.asyncIterator]();
    await statements(async (name, asking) => {
        let rows;
        try {
            rows = await asking();
        } catch (problem) {
            rows = problem.message.replace(/\s+/g, ' ');
        }
        process.stdout.write(`${name}\t${rows}\n`);
        await answers.next();
    });
    lines.close();
};
