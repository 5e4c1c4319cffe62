"""The code of a training script: the data, the network, the batches, the reading, the training.

All that computes is taken from our own functions, cut down by `specialized`, or from the network
itself; the rest, which ties them together, is written here.
"""

import inspect
from collections.abc import Iterator

from torch import nn

from core.data.mnist import FILES
from core.data.splits import split_sizes, stratified_split
from core.evaluation import metrics
from core.export.script_plan import TRAINING_IMAGES, Plan
from core.export.specialized import specialized
from core.training import augmentation, batches, flat, inference, networks, schedule

_BENT = ("rotation", "shear", "scale", "aspect", "elastic")


def code(plan: Plan) -> Iterator[str]:
    """Yield the code after the settings, in pieces of one or more lines."""
    yield from ("", "", specialized(stratified_split, plan.config), "", "")
    yield from _data(plan)
    yield from _network(plan)
    yield from _steps(plan)
    yield from _batches(plan)
    yield from _reading(plan)
    yield from _loop(plan)


def _data(plan: Plan) -> Iterator[str]:
    """Yield the reading of the images, and which of them are learned from."""
    config = plan.config
    if plan.data == "mnist":
        names = [name for name, _, _ in FILES.values()]
        yield inspect.cleandoc(
            f'''
            def read(name):
                """Return one of MNIST's files as an array; its header tells the shape."""
                content = Path(sys.argv[1], name).read_bytes()
                shape = np.frombuffer(content, ">i4", content[3], offset=4)
                return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


            # The data: images of 28 × 28 pixels, 0 black to 255 white, and the digit in each.
            images, labels = read("{names[0]}"), read("{names[1]}")
            test_images, test_labels = read("{names[2]}"), read("{names[3]}")
            '''
        )
    else:
        yield inspect.cleandoc(
            """
            # The data: images of 28 × 28 pixels, 0 black to 255 white, and the digit in each.
            table = pd.read_csv(DATA_PATH, header=None, dtype=np.uint8).to_numpy()
            table = np.random.default_rng(0).permutation(table)
            images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
            train, test = stratified_split(labels, 1_000, 0)
            test_images, test_labels = images[test], labels[test]
            images, labels = images[train], labels[train]
            """
        )
    total = TRAINING_IMAGES[plan.data]
    kept, held = split_sizes(total, config.validation_size, config.train_size)
    mark = plan.mark("validation_size")
    yield "# Validation chooses the best epoch; the network never learns from its images."
    yield f"train, validation = stratified_split(labels, {held}, SEED){mark}"
    if kept < total - held:
        mark = plan.mark("train_size")
        yield f"train = train[stratified_split(labels[train], {kept}, SEED)[1]]{mark}"
    yield ""


def _network(plan: Plan) -> Iterator[str]:
    """Yield the network layer by layer, with the shape of each one's output."""
    model = networks.build(plan.config)
    if plan.config.dropout:
        yield from ("", specialized(networks.Dropout, plan.config), "", "")
    yield "torch.manual_seed(SEED)  # of the first weights"
    yield f"network = nn.Sequential({plan.mark('network', 'width', 'dropout')}"
    for layer, shape in zip(model, networks.layers(model), strict=True):
        yield f"    {f'{_constructor(layer)},':<50}  # {' × '.join(map(str, shape.output))}"
    yield ")"
    yield "network.to(DEVICE).to(memory_format=torch.channels_last)"
    yield ""


def _constructor(layer: nn.Module) -> str:
    """Return the call that makes a layer, without arguments that are as by default."""
    kind = type(layer)
    ours = isinstance(layer, networks.Dropout) and layer.p > 0
    arguments = []
    for parameter in inspect.signature(kind).parameters.values():
        if parameter.name in ("device", "dtype") or not hasattr(layer, parameter.name):
            continue
        value = getattr(layer, parameter.name)
        if parameter.name == "bias":
            value = value is not None
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]  # the same for height and width
        if parameter.default is parameter.empty:
            arguments.append(repr(value))
        elif value != parameter.default and not (parameter.name == "stride" and _is_pool(layer)):
            arguments.append(f"{parameter.name}={value!r}")
    return f"{'' if ours else 'nn.'}{kind.__name__}({', '.join(arguments)})"


def _is_pool(layer: nn.Module) -> bool:
    """Return whether a layer moves its window by its own size, as it does by default."""
    return isinstance(layer, nn.MaxPool2d | nn.AvgPool2d) and layer.stride == layer.kernel_size


def _steps(plan: Plan) -> Iterator[str]:
    """Yield what a step needs: the weights as one tensor, the learning rate, the running mean."""
    config = plan.config
    yield ""
    if config.optimizer == "sgd":
        yield from (specialized(flat.Flat, config), "", "")
        yield from (specialized(flat._row, config), "", "")
        yield from (specialized(flat._views, config), "", "")
    if config.schedule != "constant":
        text = specialized(schedule.rate_factor, config)
        if "cosine(" in text:
            yield from ("", "", specialized(schedule._cosine, config))
        yield from ("", "", text.replace("\n", plan.mark("schedule") + "\n", 1))
    if config.ema:
        yield _AVERAGE
    yield ""


def _batches(plan: Plan) -> Iterator[str]:
    """Yield the making of batches, augmented if the configuration says so."""
    config = plan.config
    random = augmentation.Augmentation
    lines = ["        batch = windows[chosen, down, across]"]
    if any(getattr(config, name) for name in _BENT):
        lines.append("        batch = bent(batch, distortion(len(batch)))")
        parts = [augmentation.affine_points, augmentation.bent]
        parts += [augmentation.elastic_moves] * bool(config.elastic) + [random._distortion]
        for part in parts:
            yield from ("", specialized(part, config), "")
    if config.thickness:
        lines.append("        batch = thickened(batch, uniform(len(batch), THICKNESS))")
        yield from ("", specialized(augmentation.thickened, config), "")
    if len(lines) > 1:
        yield from ("", specialized(random._uniform, config), "")
    yield from ("", specialized(batches.normalize, config), "", "")
    yield inspect.cleandoc(
        '''
        def batches():
            """Yield the images of one epoch in a new order, as network input, with their labels."""
            order = torch.randperm(len(targets), generator=generator)
            for chosen in torch.split(order, BATCH_SIZE)[:steps]:
                size = 2, len(chosen)
                down, across = torch.randint(0, 2 * SHIFT + 1, size, generator=generator)
        '''
    )
    yield from lines
    yield "        yield normalize(batch), targets[chosen]"
    yield ""


def _autocast(plan: Plan) -> str:
    """Return the context in which layers compute in 16 bits, if they are to."""
    return "torch.autocast(DEVICE, torch.bfloat16)" if plan.precision == "bfloat16" else ""


def _reading(plan: Plan) -> Iterator[str]:
    """Yield how digits are read, and how the answers are judged."""
    config = plan.config
    if config.reading_shift:
        yield from ("", specialized(inference.moved, config), "")
    contexts = ", ".join(filter(None, ["torch.inference_mode()", _autocast(plan)]))
    yield from (
        *("", "def probabilities(images):"),
        '    """Return ten probabilities for each of `(N, 28, 28)` images."""',
        "    reader.eval()",
        "    answers = []",
        f"    with {contexts}:",
        f"        for part in torch.tensor(images).to(DEVICE).split({inference._CHUNK}):",
    )
    if config.reading_shift:
        yield "            copies = [normalize(copy) for copy in moved(part, READING_SHIFT)]"
        yield "            each = [reader(copy).float().softmax(1) for copy in copies]"
        yield "            answers.append(torch.stack(each).mean(0).cpu())"
    else:
        yield "            answers.append(reader(normalize(part)).float().softmax(1).cpu())"
    yield "    return torch.cat(answers).numpy()"
    score = specialized(metrics.score, config).replace("LEAST", f"{metrics._LEAST:g}")
    yield from ("", "", score, "", "")


def _loop(plan: Plan) -> Iterator[str]:
    """Yield the training itself."""
    config, autocast = plan.config, _autocast(plan)
    small = "    " * bool(autocast)
    yield inspect.cleandoc(
        """
        # Every image moved every way is a view, which takes no memory.
        windows = F.pad(torch.tensor(images[train]).to(DEVICE), [SHIFT] * 4)
        windows = windows.unfold(1, 28, 1).unfold(2, 28, 1)
        targets = torch.tensor(labels[train], dtype=torch.int64, device=DEVICE)
        steps = len(targets) // BATCH_SIZE + (len(targets) % BATCH_SIZE > 1)  # of an epoch
        generator = torch.Generator().manual_seed(SEED)  # of the batches
        """
    )
    if config.optimizer == "sgd":
        yield "weights = Flat(network)  # SGD's last bits depend on it"
    parameters = "[weights.trained]" if config.optimizer == "sgd" else "network.parameters()"
    yield f"optimizer = torch.optim.{_OPTIMIZERS[config.optimizer]}({plan.mark('optimizer')}"
    yield f"    {parameters}, LEARNING_RATE, {_MOMENTS[config.optimizer]}"
    yield ")"
    if config.schedule != "constant":
        yield (
            "rates = torch.optim.lr_scheduler.LambdaLR("
            "optimizer, lambda step: rate_factor(step, steps))"
        )
    yield "reader = copy.deepcopy(network)" if config.ema else "reader = network"
    yield "step, best_accuracy = 0, -1.0"
    yield "for epoch in range(1, EPOCHS + 1):"
    yield "    network.train()"
    yield "    losses, sizes = [], []"
    yield "    for inputs, truth in batches():"
    yield "        step += 1"
    if config.small_share:
        yield "        if step <= SMALL_SHARE * EPOCHS * steps:"
        yield "            inputs = F.avg_pool2d(inputs, 2)"
    if autocast:
        yield f"        with {autocast}:{plan.mark('precision')}"
    smoothing = ", label_smoothing=LABEL_SMOOTHING" if config.label_smoothing else ""
    yield f"        {small}logits = network(inputs).float()"
    yield f"        {small}loss = F.cross_entropy(logits, truth{smoothing})"
    yield "        optimizer.zero_grad()"
    yield "        loss.backward()"
    if config.optimizer == "sgd":
        yield "        weights.trained.grad = weights.take_gradients()"
    yield "        optimizer.step()"
    if config.schedule != "constant":
        yield "        rates.step()"
    if config.ema:
        yield "        average(reader, network, step)"
    yield _ENDING.replace("# PATIENCE\n", _STOP if config.patience else "")


_OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "adadelta": "Adadelta"}
_MOMENTS = {  # their arguments after the learning rate
    "sgd": "MOMENTUM, weight_decay=WEIGHT_DECAY, fused=True",
    "adam": "(0.9, BETA2), weight_decay=WEIGHT_DECAY, fused=True",
    "adamw": "(0.9, BETA2), weight_decay=WEIGHT_DECAY, fused=True",
    "adadelta": "weight_decay=WEIGHT_DECAY",
}
_AVERAGE = '''

@torch.no_grad()
def average(mean, model, step):
    """Move the mean of the weights towards those after a step; the first steps count for more."""
    share = 1 - min(EMA, (1 + step) / (10 + step))
    for old, new in zip(mean.state_dict().values(), model.state_dict().values()):
        if old.is_floating_point():
            old.lerp_(new, share)
        else:
            old.copy_(new)
'''
_STOP = """    if epoch - best_epoch >= PATIENCE:
        break
"""
_ENDING = """        losses.append(loss.detach())
        sizes.append(len(truth))
    sizes = torch.tensor(sizes)
    train_loss = float((torch.stack(losses).cpu() * sizes).sum() / sizes.sum())
    loss, accuracy = score(probabilities(images[validation]), labels[validation])
    print(f"epoch {epoch}: loss {train_loss:.6f}, validation {loss:.6f}, right {accuracy:.2%}")
    if accuracy >= best_accuracy:  # of equal epochs the later has learned more
        best_epoch, best_accuracy = epoch, accuracy
        best = copy.deepcopy(reader.state_dict())
# PATIENCE

# The test images are read once, at the end, by the network of the best epoch.
reader.load_state_dict(best)
test_loss, test_accuracy = score(probabilities(test_images), test_labels)
print(f"best epoch {best_epoch}: validation {best_accuracy:.2%}, test {test_accuracy:.2%}")
torch.save(best, "model.pt")
"""
