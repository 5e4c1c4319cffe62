"""The code of a training script: the data, the network, reading and training.

Longer parts are our own functions, cut down by `specialized`, and the network's own layers. The
lines that tie them together are written here, and are shorter than ours where a script needs less.
"""

import inspect
import re
from collections.abc import Iterator

from torch import nn

from core.config import TrainConfig
from core.data.digits import TRAINING_IMAGES
from core.data.mnist import FILES
from core.data.splits import split_sizes, stratified_split
from core.evaluation import metrics
from core.export.script_plan import Plan
from core.export.specialized import specialized
from core.training import augmentation, batches, inference, muon, networks, schedule


def code(plan: Plan) -> Iterator[str]:
    """Yield the code after the settings, in pieces of one or more lines."""
    yield from ("", "", specialized(stratified_split, plan.config), "", "")
    yield from _data(plan)
    yield from _network(plan)
    yield from _rate(plan)
    yield from _augmentation(plan)
    yield from _reading(plan)
    yield from _loop(plan)


def _reader(plan: Plan) -> str:
    """Return the variable of the network that reads: the trained one, or its running mean."""
    return "reader" if plan.config.ema else "network"


def _data(plan: Plan) -> Iterator[str]:
    """Yield the lines that load the images and split them into training and validation."""
    config = plan.config
    if plan.data == "mnist":
        (images, labels), (test_images, test_labels) = (
            tuple(name for name, _, _ in FILES.values())[at : at + 2] for at in (0, 2)
        )
        yield inspect.cleandoc(
            f"""
            # The data: images of 28 × 28 pixels, 0 black to 255 white, and the digit in each.
            folder = (sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__)) + "/"
            images = np.fromfile(folder + "{images}", np.uint8, offset=16)
            labels = np.fromfile(folder + "{labels}", np.uint8, offset=8)
            test_images = np.fromfile(folder + "{test_images}", np.uint8, offset=16)
            test_labels = np.fromfile(folder + "{test_labels}", np.uint8, offset=8)
            images, test_images = images.reshape(-1, 28, 28), test_images.reshape(-1, 28, 28)
            """
        )
    else:
        yield inspect.cleandoc(
            """
            # The data: images of 28 × 28 pixels, 0 black to 255 white, and the digit in each.
            table = np.loadtxt(DATA_PATH, np.uint8, delimiter=",")
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
    """Yield the network layer by layer, with the shape of each layer's output."""
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
    """Return the call that makes a layer, without arguments that have their default."""
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
    """Return whether a layer is a pooling whose stride is its kernel size, the default."""
    return isinstance(layer, nn.MaxPool2d | nn.AvgPool2d) and layer.stride == layer.kernel_size


def _rate(plan: Plan) -> Iterator[str]:
    """Yield the functions for the learning rate and for the running mean of the weights."""
    config = plan.config
    if config.schedule != "constant":
        text = specialized(schedule.rate_factor, config)
        text = text.replace("ONE_CYCLE_START", f"{schedule._ONE_CYCLE_START:g}")
        if "cosine(" in text:
            yield from ("", "", specialized(schedule._cosine, config))
        yield from ("", "", text.replace("\n", plan.mark("schedule") + "\n", 1))
    if config.ema:
        yield _AVERAGE
    if config.optimizer == "muon":
        for part in (muon.update, muon.orthogonalized):
            text = specialized(part, config).replace("COEFFICIENTS", str(muon._COEFFICIENTS))
            yield from ("", "", text.replace("ROUNDS", str(muon._ROUNDS)))


def _augmentation(plan: Plan) -> Iterator[str]:
    """Yield the augmentations that the configuration uses."""
    config, random = plan.config, augmentation.Augmentation
    parts = []
    if _bends(config):
        parts += [augmentation.affine_points, augmentation.bent]
        parts += [augmentation.elastic_moves] * bool(config.elastic) + [random._distortion]
    if config.thickness:
        parts.append(augmentation.thickened)
    for part in [*parts, *[random._uniform] * bool(parts)]:
        text = specialized(part, config).replace("KNOTS", str(augmentation._KNOTS))
        yield from ("", "", text)


def _bends(config: TrainConfig) -> bool:
    return any(getattr(config, name) for name in augmentation.BENDING)


def _drawing(plan: Plan) -> Iterator[str]:
    """Yield the lines that make a batch of `inputs` from the `chosen` images."""
    config = plan.config
    yield "down, across = torch.randint(0, 2 * SHIFT + 1, (2, len(chosen)), generator=generator)"
    window, changes = "windows[chosen, down, across]", []
    if _bends(config):
        changes.append("bent(inputs, distortion(len(inputs)))")
    if config.thickness:
        changes.append("thickened(inputs, uniform(len(inputs), THICKNESS))")
    if changes:
        yield f"inputs, truth = {window}, targets[chosen]"
        yield from (f"inputs = {change}" for change in [*changes, "normalize(inputs)"])
    else:
        yield f"inputs, truth = normalize({window}), targets[chosen]"
    if config.small_share:
        yield "if step <= SMALL_SHARE * EPOCHS * steps:"
        yield "    inputs = F.avg_pool2d(inputs, 2)"


def _autocast(plan: Plan) -> str:
    """Return the context manager for 16-bit computation, or nothing for 32 bits."""
    return "torch.autocast(DEVICE, torch.bfloat16)" if plan.precision == "bfloat16" else ""


def _reading(plan: Plan) -> Iterator[str]:
    """Yield the functions that read digits and score the answers."""
    text = specialized(batches.normalize, plan.config)
    if not _bends(plan.config) and not plan.config.thickness:  # its images are bytes only
        text = re.sub(r"`(.*) uint8`, or.*, into", r"`\1 uint8` into", text)
        text = re.sub(r"    unit = .*\n", "", text).replace("unit", "255.0")
    yield from ("", "", text, "", "")
    yield "def score(images, labels):"
    yield '    """Return the mean cross-entropy and the accuracy of the answers to images."""'
    reader = _reader(plan)
    yield f"    {reader}.eval()"
    yield "    answers = []"
    if plan.config.reading_shift:
        yield "    far = READING_SHIFT  # each image is read five times, four of them moved"
        yield "    moves = (0, 0), (-far, 0), (far, 0), (0, -far), (0, far)"
    yield f"    with {', '.join(filter(None, ['torch.inference_mode()', _autocast(plan)]))}:"
    yield f"        for part in torch.tensor(images).to(DEVICE).split({inference._CHUNK}):"
    if plan.config.reading_shift:
        yield "            copies = [F.pad(part, [x, -x, y, -y]) for x, y in moves]"
        yield f"            each = [{reader}(normalize(one)).float().softmax(1) for one in copies]"
        yield "            answers.append(torch.stack(each).mean(0).cpu())"
    else:
        yield f"            answers.append({reader}(normalize(part)).float().softmax(1).cpu())"
    yield "    answers = torch.cat(answers).numpy()"
    yield "    true = answers[np.arange(len(labels)), labels]"
    yield f"    loss = -np.log(np.maximum(true, {metrics._LEAST:g})).mean(dtype=np.float64)"
    yield "    return float(loss), float((answers.argmax(1) == labels).mean())"
    yield from ("", "")


def _loop(plan: Plan) -> Iterator[str]:
    """Yield the training loop."""
    config, autocast = plan.config, _autocast(plan)
    flat = config.optimizer == "sgd"
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
    if flat:
        yield "parameters = list(network.parameters())"
        yield "weights = torch.cat([one.detach().flatten() for one in parameters])"
    weights = "[weights]" if flat else "network.parameters()"
    if config.optimizer == "muon":
        yield "# Muon changes all layers but the last; AdamW that, biases and normalizations."
        yield "matrices = [one for one in network[:-1].parameters() if one.ndim > 1]"
        yield "momenta = [torch.zeros_like(one) for one in matrices]"
        yield (
            "others = [one for one in network.parameters() if one.ndim == 1] + [network[-1].weight]"
        )
        weights = "others"
    kind, arguments = _OPTIMIZERS[config.optimizer]
    yield f"optimizer = torch.optim.{kind}({plan.mark('optimizer')}"
    yield f"    {weights}, LEARNING_RATE, {arguments}"
    yield ")"
    if config.ema:
        yield "reader = copy.deepcopy(network)"
    yield "step, best_accuracy = 0, -1.0"
    yield "for epoch in range(1, EPOCHS + 1):"
    yield "    network.train()"
    yield "    losses = []"
    yield "    order = torch.randperm(len(targets), generator=generator)"
    yield "    for chosen in order.split(BATCH_SIZE)[:steps]:"
    yield "        step += 1"
    yield from (f"        {line}" for line in _drawing(plan))
    if autocast:
        yield f"        with {autocast}:{plan.mark('precision')}"
    indent = " " * (12 if autocast else 8)
    smoothing = ", label_smoothing=LABEL_SMOOTHING" if config.label_smoothing else ""
    yield f"{indent}logits = network(inputs).float()"
    yield f"{indent}loss = F.cross_entropy(logits, truth{smoothing})"
    yield "        network.zero_grad()"
    yield "        loss.backward()"
    if config.schedule != "constant":
        rate = "LEARNING_RATE * rate_factor(step - 1, steps)"
        yield f'        optimizer.param_groups[0]["lr"] = {rate}'
    yield _FLAT_STEP if flat else "        optimizer.step()"
    if config.optimizer == "muon":
        yield "        for weights, momentum in zip(matrices, momenta):"
        yield '            rate = optimizer.param_groups[0]["lr"]'
        yield "            update(weights.detach(), weights.grad, momentum, rate)"
    if config.ema:
        yield "        average(reader, network, step)"
    ending = _ENDING.replace("reader", _reader(plan))
    yield ending.replace("# PATIENCE\n", _STOP if config.patience else "")


_ADAM = "(0.9, BETA2), weight_decay=WEIGHT_DECAY, fused=True"
_OPTIMIZERS = {  # the class of `torch.optim`, and its arguments after the learning rate
    "sgd": ("SGD", "MOMENTUM, weight_decay=WEIGHT_DECAY, fused=True"),
    "adam": ("Adam", _ADAM),
    "adamw": ("AdamW", _ADAM),
    "adadelta": ("Adadelta", "weight_decay=WEIGHT_DECAY"),
    "muon": ("AdamW", _ADAM),  # for the parameters that Muon does not change
}
_FLAT_STEP = """\
        # One step of all weights as one tensor: SGD's last bits depend on that.
        weights.grad = torch.cat([one.grad.flatten() for one in parameters])
        optimizer.step()
        for one, part in zip(parameters, weights.split([one.numel() for one in parameters])):
            one.data.copy_(part.view_as(one))"""
_AVERAGE = '''

@torch.no_grad()
def average(mean, model, step):
    """Move the mean of the weights towards those after a step; the first steps count for more."""
    share = 1 - min(EMA, (1 + step) / (10 + step))
    for old, new in zip(mean.state_dict().values(), model.state_dict().values()):
        old.lerp_(new, share) if old.is_floating_point() else old.copy_(new)
'''
_STOP = """    if epoch - best_epoch >= PATIENCE:
        break
"""
_ENDING = """        losses.append(loss.detach() * len(truth))
    train_loss = float(torch.stack(losses).cpu().sum() / len(order[: steps * BATCH_SIZE]))
    loss, accuracy = score(images[validation], labels[validation])
    print(f"epoch {epoch}: loss {train_loss:.6f}, validation {loss:.6f}, right {accuracy:.2%}")
    if accuracy >= best_accuracy:  # of equal epochs the later has learned more
        best_epoch, best_accuracy = epoch, accuracy
        torch.save(reader.state_dict(), "model.pt")
# PATIENCE

# The test images are read once, at the end, by the network of the best epoch.
reader.load_state_dict(torch.load("model.pt", weights_only=True))
test_loss, test_accuracy = score(test_images, test_labels)
print(f"best epoch {best_epoch}: validation {best_accuracy:.2%}, test {test_accuracy:.2%}")
"""
