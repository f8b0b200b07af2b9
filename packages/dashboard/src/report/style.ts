/** The report is one file, so its style is in it: calm, readable on paper and in the dark. */
export const STYLE = `
:root{--paper:#faf9f6;--card:#fff;--ink:#1d1c1a;--muted:#66635b;--line:#e6e3db;--soft:#f1efe9;--accent:#0f766e;--second:#7550c8;--fault:#b93a0a;--recovery:#1a7a3c;--wait:#8a5a00;--note:#4a5a78;
font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);font-variant-numeric:tabular-nums}
@media(prefers-color-scheme:dark){:root{--paper:#131416;--card:#1b1d20;--ink:#edeae3;--muted:#a09c92;--line:#2e3136;--soft:#24272b;--accent:#52cdbd;--second:#b59cf5;--fault:#ff9166;--recovery:#74d092;--wait:#e9b44c;--note:#9fb2d6}}
*{box-sizing:border-box}body{max-width:820px;margin:0 auto;padding:36px 24px 56px}
h1{margin:0;font-size:1.8rem;line-height:1.25;letter-spacing:-.02em;overflow-wrap:anywhere}h2{margin:34px 0 10px;font-size:1.05rem}
p{margin:4px 0}.muted,figcaption,th,dt{color:var(--muted)}b{font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:1px;margin:22px 0 0;border:1px solid var(--line);border-radius:12px;background:var(--line);overflow:hidden}
.tiles div{padding:12px 16px;background:var(--card)}.tiles dt{font-size:.8125rem}.tiles dd{margin:0;font-size:1.375rem;font-weight:600;white-space:nowrap}
figure{margin:0 0 14px;padding:12px 14px;border:1px solid var(--line);border-radius:12px;background:var(--card)}figcaption b{color:var(--ink)}
svg{display:block;width:100%;height:auto;overflow:visible}svg text{font-size:11px;fill:var(--muted)}
.grid{stroke:var(--line)}.line,.raw{fill:none;stroke:var(--accent);stroke-width:2;stroke-linejoin:round}.raw{stroke-width:1;opacity:.35}
.test{fill:var(--second);stroke:var(--card)}.test.many{stroke:none}.key{color:var(--second)}
.mark{stroke:var(--note);stroke-dasharray:3 3}.mark.fault{stroke:var(--fault);stroke-dasharray:none}.mark.recovery{stroke:var(--recovery)}.mark.wait{stroke:var(--wait)}
.sign{fill:var(--note)}.sign.fault{fill:var(--fault)}.sign.recovery{fill:var(--recovery)}.sign.wait{fill:var(--wait)}
.box+p{margin:14px 0 8px}.box{padding:14px 16px;border:1px solid var(--line);border-radius:12px;background:var(--card);overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.9375rem}th,td{padding:6px 12px 6px 0;text-align:left;border-top:1px solid var(--line);font-weight:400}
tr:first-child>*{border-top:0}td.number,th.number{text-align:right}tbody th{color:var(--ink)}
.facts{display:grid;grid-template-columns:auto 1fr;gap:4px 18px;margin:0}.facts dd{margin:0;overflow-wrap:anywhere}
ul{margin:0;padding:0;list-style:none}li{padding:6px 0;border-top:1px solid var(--line)}li:first-child{border-top:0}
li.fault b{color:var(--fault)}li.recovery b{color:var(--recovery)}li.wait b{color:var(--wait)}
code,pre{font:.8125rem/1.5 ui-monospace,monospace}pre{margin:12px 0 0;padding:10px 12px;border-radius:8px;background:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:36px;color:var(--muted);font-size:.8125rem}
@media print{body{max-width:none;padding:0}figure,.box{break-inside:avoid}}
`;
