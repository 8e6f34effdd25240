// ask_pm2.js PACKAGE TIMES: as ask_supervisord.py. Its answer has the memory and the processor time of each, too.
const pm2 = require(process.argv[2]);
const took = [];

function ask(left) {
  if (left === 0) {
    console.log(JSON.stringify(took));
    pm2.disconnect();
    return;
  }
  const began = process.hrtime.bigint();
  pm2.list((error) => {
    if (error) throw error;
    took.push(Number(process.hrtime.bigint() - began) / 1e6);
    ask(left - 1);
  });
}

pm2.connect((error) => {
  if (error) throw error;
  ask(Number(process.argv[3]));
});
