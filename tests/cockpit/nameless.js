// What on the page has no name, no label, no scope, or no place among the landmarks.
() => {
    const found = [];
    for (const field of document.querySelectorAll("input, select, textarea"))
        if (!field.labels.length) found.push(`no label: ${field.id}`);
    for (const one of document.querySelectorAll("button, a, h1, h2, h3, th[scope], caption, legend"))
        if (!one.textContent.trim() && one.getAttribute("aria-hidden") !== "true" && !one.closest("dialog")) found.push(`empty: ${one.outerHTML}`);
    for (const table of document.querySelectorAll("table")) {
        if (!table.caption) found.push("a table without a caption");
        for (const head of table.querySelectorAll("th")) if (!head.scope) found.push(`no scope: ${head.outerHTML}`);
    }
    for (const name of ["aria-labelledby", "aria-describedby"])
        for (const one of document.querySelectorAll(`[${name}]`))
            if (!document.getElementById(one.getAttribute(name))) found.push(`${name} names nothing: ${one.outerHTML.slice(0, 80)}`);
    for (const region of document.querySelectorAll("[role=region], main section"))
        if (!region.getAttribute("aria-labelledby") && !region.getAttribute("aria-label")) found.push("a region without a name");
    const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
    if (new Set(ids).size !== ids.length) found.push("an id twice");
    for (const tag of ["h1", "main", "header", "footer"])
        if (document.querySelectorAll(`body ${tag}`).length !== 1) found.push(`not one ${tag}`);
    let level = 1;
    for (const one of document.querySelectorAll("h1, h2, h3")) {
        const now = Number(one.tagName[1]);
        if (now > level + 1) found.push(`a level left out: ${one.textContent}`);
        level = now;
    }
    if (!document.documentElement.lang) found.push("no language");
    if (document.querySelector("[style]:not(.fill)")) found.push("a style on an element");
    return found;
}
