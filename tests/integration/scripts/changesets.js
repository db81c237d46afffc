// Records what Etherpad's own Changeset.js computes, for changesets.lua. With Etherpad as examples/etherpad/start.sh installs it:
//   node changesets.js ~/.cache/tutti/etherpad/src 80 > changesets.jsonl
const src = process.argv[2];
const Changeset = require(src + '/static/js/Changeset');
const AttributePool = require(src + '/static/js/AttributePool');
let seed = 20241129;
const rnd = n => { seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff; return Math.floor(seed / 65536) % n; };
const pool = new AttributePool();
for (const pair of [['author', 'a.one'], ['author', 'a.two'], ['author', ''], ['bold', 'true'], ['bold', ''], ['italic', 'true'],
  ['italic', ''], ['list', 'bullet1'], ['list', ''], ['insertorder', 'first'], ['lmkr', '1'], ['size', '12'], ['size', '9'], ['size', '']])
  pool.putAttrib(pair);
const out = [];
const pieces = ['a', 'bc', 'def ', '\n', 'ü', '🌍', '€', '\n', 'x\ny', 'ab\n', '👩‍💻', '\n\n', 'zz🎉z'];
const word = most => { let s = ''; for (let n = rnd(most + 1); n > 0; n--) s += pieces[rnd(pieces.length)]; return s; };
const attribs = code => {
  const sets = code === '+'
    ? ['', [['author', 'a.one']], [['author', 'a.two'], ['bold', 'true']], [['author', 'a.one'], ['italic', 'true'], ['size', '12']],
      [['author', 'a.two'], ['insertorder', 'first'], ['list', 'bullet1'], ['lmkr', '1']]]
    : ['', '', [['bold', 'true']], [['bold', '']], [['author', '']], [['author', 'a.one'], ['size', '9']], [['size', ''], ['italic', 'true']]];
  const set = sets[rnd(sets.length)];
  return set && Changeset.makeAttribsString(code, set, pool);
};
const randomCs = text => {
  const chars = [...text]; // whole characters
  const b = Changeset.builder(text.length);
  let at = 0;
  while (at < chars.length - 1) {
    const n = 1 + rnd(Math.max(1, Math.floor(chars.length / 2)));
    const part = chars.slice(at, Math.min(at + n, chars.length - 1)).join('');
    at = Math.min(at + n, chars.length - 1);
    switch (rnd(5)) {
      case 0: case 1: b.keepText(part, attribs('=')); break;
      case 2: { const nl = part.lastIndexOf('\n') + 1;
        if (nl) b.remove(nl, part.split('\n').length - 1);
        if (part.length > nl) b.remove(part.length - nl, 0);
        break; }
      case 3: b.insert(word(3), attribs('+')); b.keepText(part); break;
      case 4: b.keepText(part); b.insert(word(3), attribs('+')); break;
    }
  }
  return Changeset.checkRep(b.toString());
};
const attributed = text => { // the attributes of a text, by a few changes from nothing
  let atext = Changeset.makeAText('\n');
  atext = Changeset.applyToAText(Changeset.makeSplice('\n', 0, 0, text.slice(0, -1), [['author', 'a.one']], pool), atext, pool);
  const cs = Changeset.builder(text.length);
  const chars = [...text.slice(0, -1)];
  for (let at = 0; at < chars.length;) { const n = 1 + rnd(4); cs.keepText(chars.slice(at, at + n).join(''), attribs('=')); at += n; }
  return Changeset.applyToAText(cs.toString(), atext, pool);
};
out.push({kind: 'pool', pool: JSON.parse(JSON.stringify(pool.toJsonable()))});
const before = pool.nextNum;
const ROUNDS = +process.argv[3];
for (let i = 0; i < ROUNDS; i++) {
  const text = word(2 + i % 8) + '\n';
  const a = randomCs(text), b = randomCs(text);
  const ta = Changeset.applyToText(a, text);
  const c = randomCs(ta);
  const atext = attributed(text);
  const pos = [...text].slice(0, rnd([...text].length)).join('').length;
  const rest = [...text.slice(pos)];
  const removed = rest.slice(0, rnd(rest.length)).join('').length;
  const inserted = word(2);
  out.push({kind: 'apply', text, changeset: a, result: ta});
  out.push({kind: 'compose', first: a, second: c, result: Changeset.compose(a, c, pool)});
  out.push({kind: 'follow', first: a, second: b, reverse: i % 2 === 1, result: Changeset.follow(a, b, i % 2 === 1, pool)});
  if (i % 2) out.push({kind: 'splice', text, position: pos, removed, inserted, author: i % 3 ? 'a.two' : undefined,
    result: Changeset.makeSplice(text, pos, removed, inserted, i % 3 ? [['author', 'a.two']] : undefined, pool)});
  if (i % 2 == 0) out.push({kind: 'attributes', attributes: atext.attribs, changeset: a, result: Changeset.applyToAttribution(a, atext.attribs, pool)});
  const lines = Changeset.splitTextLines(text), alines = Changeset.splitAttributionLines(atext.attribs, text);
  if (i % 2 == 0) out.push({kind: 'inverse', text, attributes: atext.attribs, changeset: a, result: Changeset.inverse(a, lines, alines, pool)});
  if (i % 4 == 0) { const p = new AttributePool(); p.putAttrib(['bold', 'true']); p.putAttrib(['new', 'one']);
    out.push({kind: 'move', changeset: a, result: Changeset.moveOpsToNewPool(a, pool, p), pool: p.toJsonable()}); }
}
const bad = ['Z:5>1=2+1=1$a', 'Z:5>1=2+1$', 'Z:5>1+1=5$a', 'Z:5>2=2+1+1$ab', 'Z:5>1=2+1-0$a', 'Z:5<1-6+5$abcde', 'Z:5>1+1$ab', 'Z:5>0=1-1+1=1$a', 'Z:5>0+1-1$a', 'hello', '', 'Z:', 'Z:5>1*0|+1$a', 'Z:5>1=5+1?$a', 'Z:5>1|1=2|1=2+1$a'];
for (const cs of bad) { let ok = true; try { Changeset.checkRep(cs); } catch (e) { ok = false; } out.push({kind: 'check', changeset: cs, right: ok}); }
for (const cs of ['Z:5>1=2+1$a', 'Z:5>1+1$a', 'Z:1>0$', 'Z:z>10|2=a*0+10$' + 'q'.repeat(36), 'Z:5<3-3$', 'Z:5>1=2|1+2-1$b\n']) { let ok = true; try { Changeset.checkRep(cs); } catch (e) { ok = false; } out.push({kind: 'check', changeset: cs, right: ok}); }
if (pool.nextNum !== before) throw new Error('the pool has grown: ' + JSON.stringify(pool.numToAttrib));
process.stdout.write(out.map(row => JSON.stringify(row)).join('\n') + '\n');
