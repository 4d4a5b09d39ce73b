module.exports = (o) => ({ b: o.b });
